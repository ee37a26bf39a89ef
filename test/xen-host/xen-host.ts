import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Host } from "../../src/host/host.ts";
import type { Need } from "../probes.ts";
import type { Ended } from "../sandbox.ts";
import type { Wire } from "./qemu-command.ts";
import { startMachine, type RunningMachine } from "./running-machine.ts";
import { ensureSavedMachine, type SavedMachine } from "./saved-machine.ts";

/** An emulated machine with Xen, and ssh to its dom0. */
export interface XenHost {
  /** Seen in dom0, read-only, as /brought; what is put there later is seen too. */
  brought: string;
  /** Arguments of ssh and scp that lead to dom0, over a connection that is open: `ssh ...options root@xen-host`. */
  sshOptions: string[];
  /** Runs a shell script in dom0. Ended after `timeoutMs`, default 60 s. */
  run(script: string, options?: { timeoutMs?: number }): Promise<Ended>;
  /** As `run`, and throws with what was printed when it fails. */
  must(script: string, options?: { timeoutMs?: number }): Promise<string>;
  /** Waits until the script succeeds. @throws Error with what it printed last after `timeoutMs` */
  until(script: string, timeoutMs: number): Promise<string>;
  /** What Xen and dom0 have printed since the machine was loaded. */
  console(): string;
  /** Ends the machine. Nothing of it is left. */
  close(): Promise<void>;
}

/** What a suite wants of the machine. */
export const XEN_HOST_NEEDS = ["root", "apt", "mmdebstrap", "qemu", "ssh"] as const satisfies Need[];

const SSH_NAME = "xen-host";

/** Where the program keeps what it has made, and so the machine, too. */
export function stateFolder(): string {
  return process.env["CLOISON_STATE"] ?? "/var/lib/cloison";
}

/** Starts the machine from its saved state (built first where it is missing), with ssh, and its clock right. */
export async function startXenHost(
  host: Host,
  state: string,
  { onProgress = () => undefined, wire }: { onProgress?: (line: string) => void; wire?: Wire } = {},
): Promise<XenHost> {
  const saved = await ensureSavedMachine(host, state, onProgress);
  const runs = join(state, "xen-host/runs");
  mkdirSync(runs, { recursive: true });
  sweep(host, runs);
  // The lock first: to others a folder without one is a dead run's.
  const folder = join(runs, randomUUID().slice(0, 8));
  const lock = host.tryLock(`${folder}.lock`);
  mkdirSync(folder);
  let machine: RunningMachine | null = null;
  let master: ChildProcess | null = null;
  const close = async () => {
    if (master !== null) await killed(master);
    await machine?.end();
    rmSync(folder, { recursive: true, force: true });
    lock?.release();
    rmSync(`${folder}.lock`, { force: true });
  };
  try {
    const files = { ...filesOf(saved, folder), ...(wire === undefined ? {} : { wire }) };
    machine = await startMachine(files, `exec:cat '${saved.memory}'`);
    await machine.monitor.ask("cont");
    const sshOptions = writeSshConfiguration(saved, folder, machine.sshPort);
    master = await connected(machine, sshOptions);
    const { console } = machine;
    const dom0 = remote(sshOptions);
    // It is as late as the machine is old. Xen's own clock, which domains have theirs from, follows dom0's.
    await dom0.must(`date -s @${(Date.now() / 1000).toFixed(3)}`);
    return { ...dom0, brought: files.brought, sshOptions, console, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Removes what runs left that were killed. */
function sweep(host: Host, runs: string): void {
  for (const name of readdirSync(runs)) {
    if (name.endsWith(".lock")) continue;
    const lock = host.tryLock(join(runs, `${name}.lock`));
    if (lock === null) continue;
    rmSync(join(runs, name), { recursive: true, force: true });
    rmSync(join(runs, `${name}.lock`), { force: true });
    lock.release();
  }
}

function filesOf(saved: SavedMachine, folder: string) {
  const files = {
    boot: saved.boot,
    disk: join(folder, "disk.qcow2"),
    brought: join(folder, "brought"),
    console: join(folder, "console"),
    monitor: join(folder, "monitor"),
  };
  mkdirSync(files.brought);
  local(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", saved.disk, files.disk]);
  return files;
}

function writeSshConfiguration(saved: SavedMachine, folder: string, port: number): string[] {
  const key = join(folder, "key");
  local(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", basename(folder), "-f", key]);
  writeFileSync(join(folder, "brought/authorized_keys"), readFileSync(`${key}.pub`));
  writeFileSync(join(folder, "known_hosts"), `${SSH_NAME} ${readFileSync(saved.hostKey, "utf8")}`);
  const configuration = join(folder, "ssh-configuration");
  const lines = [
    `HostName 127.0.0.1`,
    `Port ${port}`,
    `User root`,
    `HostKeyAlias ${SSH_NAME}`,
    `UserKnownHostsFile ${join(folder, "known_hosts")}`,
    `GlobalKnownHostsFile /dev/null`,
    `StrictHostKeyChecking yes`,
    `IdentityFile ${key}`,
    `IdentitiesOnly yes`,
    `BatchMode yes`,
    // Cheap ones, for an emulated CPU.
    `KexAlgorithms curve25519-sha256`,
    `Ciphers aes128-ctr`,
    `ConnectTimeout 60`,
    `ControlPath ${join(folder, "ssh")}`,
  ];
  writeFileSync(configuration, lines.map((line) => `${line}\n`).join(""));
  return ["-F", configuration];
}

/** A connection that the others go through, for as long as the process lives. */
async function connected(machine: RunningMachine, sshOptions: string[]): Promise<ChildProcess> {
  const argv = ["--pdeathsig", "KILL", "--", "ssh", ...sshOptions, "-o", "ControlMaster=yes", "-N", SSH_NAME];
  const master = spawn("setpriv", argv, { stdio: ["ignore", "ignore", "pipe"] });
  let complaint = "";
  master.stderr.setEncoding("utf8").on("data", (text: string) => (complaint += text));
  await machine.until(
    "ssh",
    () => {
      if (master.exitCode !== null) throw new Error(`ssh to dom0 ended: ${complaint}`);
      return spawnSync("ssh", [...sshOptions, "-O", "check", SSH_NAME], { stdio: "ignore" }).status === 0;
    },
    60_000,
  );
  return master;
}

function remote(sshOptions: string[]): Pick<XenHost, "run" | "must" | "until"> {
  const run: XenHost["run"] = (script, { timeoutMs = 60_000 } = {}) =>
    new Promise((resolve, reject) => {
      // Not through its input, which programs such as xl read, too.
      const argv = [...sshOptions, SSH_NAME, script];
      const child = spawn("ssh", argv, {
        stdio: ["ignore", "pipe", "pipe"],
        timeout: timeoutMs,
        killSignal: "SIGKILL",
      });
      let stdout = "";
      let stderr = "";
      child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
      child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
      child.once("error", reject);
      child.once("close", (code) => resolve({ code, stdout, stderr }));
    });
  const must: XenHost["must"] = async (script, options) => {
    const { code, stdout, stderr } = await run(script, options);
    if (code !== 0) throw new Error(`in dom0: ${script}: ended with ${code}\n${stdout}${stderr}`);
    return stdout;
  };
  const until: XenHost["until"] = async (script, timeoutMs) => {
    const end = performance.now() + timeoutMs;
    for (;;) {
      const { code, stdout, stderr } = await run(script);
      if (code === 0) return stdout;
      if (performance.now() > end)
        throw new Error(`in dom0: ${script}: not within ${timeoutMs} ms; ended with ${code}\n${stdout}${stderr}`);
      await sleep(200);
    }
  };
  return { run, must, until };
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("close", resolve));
  child.kill("SIGKILL");
  await ended;
}

function local(argv: [string, ...string[]]): void {
  const [file, ...args] = argv;
  const done = spawnSync(file, args, { encoding: "utf8" });
  if (done.error !== undefined) throw done.error;
  if (done.status !== 0) throw new Error(`${argv.join(" ")}: ${done.stderr}`);
}
