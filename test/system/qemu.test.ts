import { execFileSync } from "node:child_process";
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { DomainRow } from "../../src/app/inspect.ts";
import { createRealHost } from "../../src/host/real.ts";
import { ensureGuestKernel } from "../../src/images/guest-kernel.ts";
import { ensureMachineForm } from "../../src/images/machine-form.ts";
import { machineForm } from "../../src/model/machine-form.ts";
import { slotSockets } from "../../src/platforms/guest/agent-lines.ts";
import { guestPaths } from "../../src/platforms/qemu/guest-paths.ts";
import { createQemuPlatform } from "../../src/platforms/qemu/qemu-platform.ts";
import { describePlatform } from "../contract/platform-contract.ts";
import { createScratchLab, type ScratchLab } from "../contract/scratch-lab.ts";
import { smallDomain } from "../contract/small-plan.ts";
import type { KernelSnapshot } from "../kernel-snapshot.ts";
import { LAB_NEEDS, needs } from "../needs.ts";
import { createSandbox, prepareProgram, PROGRAM, type Sandbox } from "../sandbox.ts";
import { makeSmallRootfs } from "./small-rootfs.ts";

/** Where images are kept, so that the guests' kernel is fetched once. */
const STORE = `${process.env["CLOISON_STATE"] ?? "/var/lib/cloison"}/images`;

/** Of the machine's busybox, as a guest boots it. */
async function makeSmallMachine(directory: string): Promise<string> {
  const host = createRealHost();
  const rootfs = makeSmallRootfs(directory);
  mkdirSync(STORE, { recursive: true });
  const onProgress = () => undefined;
  const kernel = await ensureGuestKernel(host, { store: STORE, guestDirectory: `${process.cwd()}/guest`, onProgress });
  await ensureMachineForm(host, { name: "small", rootfs, roomBytes: null, kernel, onProgress });
  return rootfs;
}

needs(
  "root",
  "qemu",
  "busybox",
  "apt",
)("virtual machines", () => {
  describePlatform("qemu", {
    create: createQemuPlatform,
    makeRootfs: makeSmallMachine,
    memoryBytes: 112 * 2 ** 20,
    beyond: { memoryBytes: 192 * 2 ** 20, processes: 64 },
  });
});

/** Another first program, or another agent, in a machine's initramfs. $1: the old; $2: the new; $3: the program; $4: it. */
const REPLACE = `
mkdir "$2.d"
cd "$2.d"
busybox cpio -i <"$1" 2>/dev/null
cp "$4" "$3"
find . | busybox cpio -o -H newc >"$2" 2>/dev/null
`;

/** In the place of the agent of the guest's last slot: lies as /lie says. */
const LIAR = `
for process in /proc/[0-9]*; do
  if tr '\\0' ' ' <$process/cmdline | grep -q 'cloison/agent 5 '; then kill -KILL \${process##*/}; fi
done 2>/dev/null
sleep 1
port() { for entry in /sys/class/virtio-ports/*; do [ "$(cat $entry/name)" != $1 ] || echo /dev/\${entry##*/}; done; }
exec 3<>$(port control5) 4<>$(port out5) 5<>$(port err5)
touch /lies
while :; do
  if ! read -r word nonce rest <&3; then usleep 50000; continue; fi
  [ "$word" = run ] || continue
  case $(cat /lie) in
    huge) head -c 6000000 /dev/zero >&4 ;;
    malformed) echo 'exit 0; rm -rf /' >&3 ;;
    cut) printf '\\n%s begin\\nhalf an ans' $nonce >&4; printf 'exit %s 0\\n' $nonce >&3 ;;
  esac
done
`;

needs(
  "root",
  "qemu",
  "busybox",
  "apt",
)("virtual machines that do not do as they should", () => {
  const platform = createQemuPlatform();
  const limits = { ...smallDomain("bad", "one").limits, cpus: null, memoryBytes: 112 * 2 ** 20 };
  let scratch: ScratchLab;
  beforeAll(
    async () => void (scratch = await createScratchLab(`bad-${process.pid}`, platform, makeSmallMachine, { limits })),
  );
  afterEach(async () => {
    await scratch.tearDown();
    expect(await scratch.residue()).toEqual([]);
  });
  afterAll(() => scratch.close());

  test("one that never boots is given up at its deadline", async () => {
    const { initramfs } = machineForm(scratch.workspace.rootfs(smallDomain("bad", "one")), null);
    const hanging = join(scratch.directory, "init");
    writeFileSync(hanging, "#!/bin/busybox sh\n/bin/busybox sleep 1000\n", { mode: 0o755 });
    const honest = join(scratch.directory, "honest");
    renameSync(initramfs, honest);
    execFileSync("sh", ["-euc", REPLACE, "replace", honest, initramfs, "init", hanging]);
    try {
      const beganMs = performance.now();
      const up = scratch.up({ machine: { accel: "auto", vcpus: 1, bootMs: 4000 } });
      await expect(up).rejects.toThrow("domain one has not booted within 4 s");
      expect(performance.now() - beganMs).toBeLessThan(30_000);
    } finally {
      renameSync(honest, initramfs);
    }
  });

  test("one whose agent lies is told for what it is, and its neighbour slots go on", async () => {
    const domain = await scratch.up();
    const { lock } = slotSockets(guestPaths(scratch.workspace, "one").lines, 5);
    /** Through a slot whose agent is honest. */
    const honestly = async (script: string, stdin = "") => {
      const taken = scratch.host.tryLock(lock);
      if (taken === null) throw new Error("somebody runs a program there");
      try {
        return await scratch.run(domain, script, { stdin });
      } finally {
        taken.release();
      }
    };
    await honestly("cat >/liar; setsid sh /liar </dev/null >/dev/null 2>&1 &", LIAR);
    expect(await honestly("for i in $(seq 300); do [ ! -e /lies ] || exit 0; sleep 0.1; done; exit 1")).toMatchObject({
      code: 0,
    });
    for (const [lie, told] of [
      ["huge", "megabytes that nobody has asked for"],
      ["malformed", 'sends "exit 0; rm -rf /" instead of an exit code'],
      ["cut", "cut off what sh printed"],
    ] as const) {
      await honestly(`echo ${lie} >/lie`);
      await expect(scratch.run(domain, "echo true")).rejects.toThrow(told);
      expect(await honestly("echo true")).toMatchObject({ code: 0, stdout: "true\n" });
    }
  });
});

const LAB = `
name: machines
platform: qemu
images: { web: { recipe: web }, plain: { recipe: plain } }
networks:
  lan: { subnet: 10.78.0.0/24 }
domains:
  www: { image: web, cpus: 0.8, memory: 192M, pids: 200, disk: 512M, sites: [{ name: www }] }
  two: { image: plain, memory: 128M, services: [], nics: [{ network: lan, address: dhcp }] }
`;

needs(
  ...LAB_NEEDS,
  "qemu",
  "busybox",
  "apt",
)("labs of virtual machines", () => {
  let sandbox: Sandbox;
  let before: KernelSnapshot;
  let file = "";

  beforeAll(async () => {
    prepareProgram();
    sandbox = await createSandbox();
    file = join(sandbox.folder, "lab.yaml");
    writeFileSync(file, LAB);
    before = sandbox.snapshot();
    // Images are made ready once, beforehand.
    succeed("up", file);
    succeed("down", "machines");
  });
  afterAll(() => sandbox.close());

  const succeed = (...args: string[]) => sandbox.succeed(...args);
  const rows = () =>
    Object.fromEntries(
      (JSON.parse(succeed("ps", "machines", "--json")) as DomainRow[]).map((row) => [row.domain, row]),
    );
  const page = (address: string) =>
    sandbox.run([
      "nsenter",
      "--net=/run/netns/cloison.machines.station",
      "--",
      "curl",
      "-s",
      "-m",
      "2",
      "-H",
      "Host: www",
      `http://${address}/index.html`,
    ]);
  const inside = (domain: string, script: string) => succeed("exec", "machines", domain, "--", "sh", "-c", script);
  async function until(what: string, holds: () => boolean): Promise<void> {
    for (let tries = 0; !holds(); tries++) {
      if (tries > 100) throw new Error(`not within 20 s: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  test("a page is served from a machine within seconds of up", async () => {
    const beganMs = performance.now();
    const said = sandbox.cloison("up", file);
    expect(said).toMatchObject({ code: 0 });
    await until("the page", () => page("10.78.0.11").stdout.includes("<html"));
    const tookMs = performance.now() - beganMs;
    console.log(`two machines up and a page served in ${Math.round(tookMs)} ms`);
    expect(rows()).toMatchObject({ www: { state: "running" }, two: { state: "running" } });
  });

  test("inside is the domain that the file describes", () => {
    expect(inside("www", "uname -n; nproc; cat /sys/fs/cgroup/domain/pids.max")).toBe("www\n1\n200\n");
    expect(inside("two", "ip -4 -o addr show eth0")).toContain("10.78.0.12/24");
    expect(inside("www", "ip route show default")).toContain("10.78.0.1");
    expect(sandbox.cloison("exec", "machines", "two", "--", "sh", "-c", "exit 7").code).toBe(7);
    expect(sandbox.cloison("exec", "--user", "www-data", "machines", "www", "--", "id", "-un").stdout).toBe(
      "www-data\n",
    );
    // The image's own programs, not those of the busybox that runs them.
    expect(inside("two", "readlink -f /proc/$$/exe; command -v ip")).toMatch(/^\/usr\/bin\/dash\n.*\/ip\n$/);
    const piped = sandbox.run([process.execPath, PROGRAM, "exec", "machines", "two", "--", "wc", "-c"], {
      input: "x".repeat(300_000),
    });
    expect(piped.stdout.trim()).toBe("300000");
    expect(succeed("logs", "machines", "www")).toContain("Apache");
  });

  test("a program has a terminal where its user has one", () => {
    const command = `${process.execPath} ${PROGRAM} exec machines two -- sh -c "tty; stty size; exit 5"`;
    // script(1) gives it one, of this size.
    const ended = sandbox.run(["script", "-qec", `stty rows 40 cols 100; ${command}`, "/dev/null"]);
    expect(ended.stdout).toMatch(/\/dev\/hvc\d/);
    expect(ended.stdout).toContain("40 100");
    expect(ended.code).toBe(5);
  });

  test("a full disk is the domain's own affair", () => {
    const full = inside("www", "dd if=/dev/zero of=/big bs=1M count=2000 2>&1; rm -f /big; echo on");
    expect(full).toContain("No space left on device");
    expect(full).toContain("on\n");
  });

  test("who reaches whom is as predicted", () => {
    const { agrees, rows: asked } = JSON.parse(succeed("net", "verify", "machines", "--json")) as {
      agrees: boolean;
      rows: { question: { to: string } }[];
    };
    expect(agrees).toBe(true);
    expect(asked.filter(({ question }) => question.to === "www").length).toBeGreaterThan(0);
    expect(succeed("net", "diff", "machines")).toMatch(/no difference|as planned|nothing/i);
  });

  test("it is paused, goes on, and is shut down by its power button", () => {
    succeed("pause", "machines", "www");
    expect(rows()["www"]?.state).toBe("paused");
    expect(page("10.78.0.11").code).not.toBe(0);
    succeed("resume", "machines", "www");
    expect(page("10.78.0.11").stdout).toContain("<html");
    const counted = JSON.parse(succeed("stats", "machines", "www", "--json")) as Record<string, number>;
    expect(counted["diskReadBytes"]).toBeGreaterThan(2 ** 20);
    expect(counted["cpuNs"]).toBeGreaterThan(1e9);
    expect(succeed("shutdown", "machines", "two")).toContain("by itself");
    expect(rows()["two"]).toMatchObject({ state: "stopped", detail: "it was shut down" });
  });

  test("a panic and a killed QEMU are told as what they are, and up mends both", async () => {
    succeed("up", file);
    const { pid } = rows()["two"] ?? {};
    expect(sandbox.run(["kill", "-KILL", `${pid}`]).code).toBe(0);
    // The program that does it does not come back.
    sandbox.cloison("exec", "machines", "www", "--", "sh", "-c", "echo c >/proc/sysrq-trigger");
    await until("both have ended", () => Object.values(rows()).every(({ state }) => state === "stopped"));
    expect(rows()["www"]?.detail).toMatch(/kernel panicked: .*sysrq/);
    expect(rows()["two"]?.detail).toMatch(/QEMU was killed/);
    expect(sandbox.cloison("exec", "machines", "two", "--", "true").stderr).toMatch(/does not run/);
    succeed("up", file);
    expect(rows()).toMatchObject({ www: { state: "running" }, two: { state: "running" } });
  });

  test("too little memory is told, and nothing stays", () => {
    const tight = join(sandbox.folder, "tight.yaml");
    writeFileSync(tight, LAB.replaceAll("128M", "16M"));
    succeed("down", "machines");
    const refused = sandbox.cloison("up", tight);
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain("less than the kernel of a virtual machine needs");
    expect(sandbox.snapshot()).toEqual(before);
  });
});
