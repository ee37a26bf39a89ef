import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import type { Host } from "../../src/host/host.ts";
import { ensureImage } from "../../src/images/build.ts";
import { digest } from "../../src/images/image-key.ts";
import { takeLock } from "../../src/images/image-store.ts";
import { resolveImage } from "../../src/images/resolve-image.ts";
import { migrated, startMachine } from "./running-machine.ts";
import { XEN_HOST_RECIPE } from "./recipe.ts";

const DISK_GIB = 3;

/** What decides, besides the image and QEMU, what the saved machine is. */
const OWN_FILES = ["saved-machine.ts", "qemu-command.ts"];

/** A booted Xen host, on disk. */
export interface SavedMachine {
  /** xen, vmlinux, initramfs. */
  boot: string;
  /** qcow2, as the booted machine left it. */
  disk: string;
  /** Memory and devices: a stream of QEMU's migration. */
  memory: string;
  /** Public host key of its sshd, a line. */
  hostKey: string;
}

/**
 * The booted host from `<state>/xen-host/<key>`; built there when it is missing, from Debian's packages alone. The key is of
 * the packages' versions, of all that goes into the image, of QEMU's version and of what is started here.
 */
export async function ensureSavedMachine(
  host: Host,
  state: string,
  onProgress: (line: string) => void,
): Promise<SavedMachine> {
  const request = { store: join(state, "images"), name: "xen-host", recipe: XEN_HOST_RECIPE, onProgress };
  const { key: imageKey } = await resolveImage(host, request);
  const version = must(["qemu-system-x86_64", "--version"]);
  const own = OWN_FILES.map((name) => readFileSync(new URL(name, import.meta.url), "utf8"));
  const key = digest([imageKey, version, own]);
  const cache = join(state, "xen-host");
  const directory = join(cache, key);
  // Of root alone: the disk has the private key of its sshd.
  mkdirSync(cache, { recursive: true, mode: 0o700 });
  const lock = await takeLock(host, `${cache}/.lock`, {
    signal: undefined,
    onWait: () => onProgress("xen-host: waiting for another build"),
  });
  try {
    if (existsSync(directory)) return savedMachine(directory);
    // Of a build that was killed, and of other versions.
    for (const name of readdirSync(cache)) {
      if (name !== ".lock" && name !== "runs") rmSync(join(cache, name), { recursive: true });
    }
    const image = await ensureImage(host, request);
    const building = join(cache, ".building");
    mkdirSync(building);
    onProgress("xen-host: booting it once");
    makeDisk(image.directory, building);
    await bootAndSave(building);
    renameSync(building, directory);
    return savedMachine(directory);
  } finally {
    lock.release();
  }
}

function savedMachine(directory: string): SavedMachine {
  return {
    boot: join(directory, "boot"),
    disk: join(directory, "booted.qcow2"),
    memory: join(directory, "memory"),
    hostKey: join(directory, "host-key.pub"),
  };
}

function makeDisk(rootfs: string, directory: string): void {
  mkdirSync(join(directory, "boot"));
  for (const name of ["xen", "vmlinux", "initramfs"])
    copyFileSync(join(rootfs, "boot", name), join(directory, "boot", name));
  must([
    "mke2fs",
    "-q",
    "-t",
    "ext4",
    "-E",
    "lazy_itable_init=1,nodiscard",
    "-d",
    rootfs,
    join(directory, "disk.raw"),
    `${DISK_GIB}G`,
  ]);
  // The backing file by a name relative to it: the folder is renamed when all is done.
  must(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", "disk.raw", join(directory, "booted.qcow2")]);
}

async function bootAndSave(directory: string): Promise<void> {
  const scratch = join(directory, "scratch");
  mkdirSync(join(scratch, "brought"), { recursive: true });
  const machine = await startMachine({
    boot: join(directory, "boot"),
    disk: join(directory, "booted.qcow2"),
    brought: join(scratch, "brought"),
    console: join(scratch, "console"),
    monitor: join(scratch, "monitor"),
  });
  try {
    await machine.until("the toolstack", () => machine.console().includes("start-dom0: ready"), 240_000);
    const [, hostKey] = /start-dom0: host key (ssh-ed25519 \S+)/.exec(machine.console()) ?? [];
    if (hostKey === undefined) throw new Error("xen-host: it has told no host key");
    writeFileSync(join(directory, "host-key.pub"), `${hostKey}\n`);
    await machine.until("sshd", () => greets(machine.sshPort), 60_000);
    await machine.monitor.ask("stop");
    await machine.monitor.ask("migrate-set-parameters", { "max-bandwidth": 2 ** 40 });
    await machine.monitor.ask("migrate", { uri: `exec:cat >'${join(directory, "memory")}'` });
    await machine.until(
      "its memory on disk",
      async () => migrated(await machine.monitor.ask("query-migrate")),
      120_000,
    );
    // Its answer may be lost with it.
    await machine.monitor.ask("quit").catch(() => undefined);
    // Its image is closed, and whole, when it has ended by itself.
    await machine.until("QEMU's end", () => machine.ended(), 20_000);
  } finally {
    await machine.end();
  }
  rmSync(scratch, { recursive: true });
}

/** Whether a server says something by itself to whoever connects, as sshd does. */
function greets(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.setTimeout(2000);
    const finish = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket
      .once("data", () => finish(true))
      .once("error", () => finish(false))
      .once("end", () => finish(false))
      .once("timeout", () => finish(false));
  });
}

function must(argv: [string, ...string[]]): string {
  const [file, ...args] = argv;
  const done = spawnSync(file, args, { encoding: "utf8" });
  if (done.error !== undefined) throw done.error;
  if (done.status !== 0) throw new Error(`${argv.join(" ")}: ${done.stderr}`);
  return done.stdout;
}
