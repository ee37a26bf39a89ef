import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** null: it works. Otherwise why not, in a line. */
type Reason = string | null;

/** What a test can ask of the machine. Each is tried, in namespaces of its own where it has effects. */
const probes = {
  root: () => (process.geteuid?.() === 0 ? null : "not root"),
  netns: () =>
    runs(["unshare", "--net", "sh", "-c", "ip link add br0 type bridge && ip link add v0 type veth peer name v1"]),
  nft: () => runs(["unshare", "--net", "sh", "-c", "nft add table inet t && nft add table bridge t"]),
  ping: () => runs(["unshare", "--net", "sh", "-c", "ip link set lo up && ping -c 1 -w 2 127.0.0.1"]),
  runc: () => tryContainer("runc"),
  overlay: () =>
    runs([
      "unshare",
      "--mount",
      "sh",
      "-ec",
      "mount -t tmpfs t /mnt; cd /mnt; mkdir l u w m; mount -t overlay o -o lowerdir=l,upperdir=u,workdir=w m; touch m/f",
    ]),
  loop: tryLoop,
  "cgroup-v1": tryControlGroupsV1,
  "cgroup-v2": tryControlGroupsV2,
  /** The machine's package sources answer. */
  apt: tryApt,
  mmdebstrap: () => runs(["mmdebstrap", "--version"]),
  dnsmasq: () => runs(["dnsmasq", "--version"]),
  apache2: () => runs(["apache2", "-v"]),
  ab: () => runs(["ab", "-V"]),
  wrk: () => runs(["wrk", "--version"], { printing: /^wrk / }),
  "stress-ng": () => runs(["stress-ng", "--version"]),
  fio: () => runs(["fio", "--version"]),
  iperf3: () => runs(["iperf3", "--version"]),
  tcpdump: () => runs(["tcpdump", "--version"]),
  traceroute: () => runs(["traceroute", "--version"]),
  ethtool: () => runs(["ethtool", "--version"]),
  busybox: () => runs(["busybox", "true"]),
  tini: () => runs(["tini", "--version"]),
  squashfs: () => runs(["mksquashfs", "-version"], { printing: /^mksquashfs version/ }),
  "qemu-img": () => runs(["qemu-img", "--version"]),
  qemu: () => runs(["qemu-system-x86_64", "--version"]),
  openvswitch: () => runs(["ovs-vswitchd", "--version"]),
  ssh: () => runs(["ssh", "-V"]),
  sshd: () => runs(["sh", "-c", "/usr/sbin/sshd -V 2>&1"], { printing: /OpenSSH/ }),
  mininet: () => runs(["mn", "--version"]),
  chromium: () => runs(["chromium", "--headless", "--no-sandbox", "--dump-dom", "about:blank"], { printing: /<html/ }),
} satisfies Record<string, () => Reason>;

export type Need = keyof typeof probes;

const answers = new Map<Need, Reason>();

/** Tries it, once per process. null: it works; otherwise the reason why not. */
export function probe(need: Need): Reason {
  let answer = answers.get(need);
  if (answer === undefined) {
    answer = probes[need]();
    answers.set(need, answer);
  }
  return answer;
}

/** The needs that must not be missing: a comma list, or `all`. Throws on a name that is none. */
export function requiredNeeds(list: string | undefined): Set<Need> {
  const all = Object.keys(probes);
  const names = (list ?? "").split(",").map((name) => name.trim());
  if (names.includes("all")) return new Set(all.filter(isNeed));
  return new Set(
    names
      .filter((name) => name !== "")
      .map((name) => {
        if (!isNeed(name)) throw new Error(`CLOISON_REQUIRE: "${name}" is none of: all, ${all.join(", ")}`);
        return name;
      }),
  );
}

function isNeed(name: string): name is Need {
  return Object.hasOwn(probes, name);
}

/** Runs a program that ends by itself; `printing` judges by its output instead of its exit code. */
function runs(argv: [string, ...string[]], expected: { printing?: RegExp } = {}): Reason {
  const [file, ...args] = argv;
  const timeoutMs = 20_000;
  const done = spawnSync(file, args, { encoding: "utf8", timeout: timeoutMs, killSignal: "SIGKILL" });
  if (done.error !== undefined) {
    const code = "code" in done.error ? done.error.code : undefined;
    if (code === "ENOENT") return `no program ${file}`;
    return code === "ETIMEDOUT" ? `${file} did not end in ${timeoutMs / 1000} s` : done.error.message;
  }
  const good = expected.printing === undefined ? done.status === 0 : expected.printing.test(done.stdout);
  if (good) return null;
  const lastLine = done.stderr.trim().split("\n").at(-1) ?? "";
  return `${file} failed (${done.signal ?? `exit ${done.status}`})${lastLine === "" ? "" : `: ${lastLine}`}`;
}

function withScratch(work: (directory: string) => Reason): Reason {
  const directory = mkdtempSync(join(tmpdir(), "cloison-needs-"));
  try {
    return work(directory);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** A container over the machine's own /usr, read-only, that runs `true`. */
function tryContainer(runtime: string): Reason {
  return withScratch((directory) => {
    const rootfs = join(directory, "rootfs");
    for (const name of ["usr", "proc"]) mkdirSync(join(rootfs, name), { recursive: true });
    for (const name of ["bin", "lib", "lib64", "sbin"]) symlinkSync(`usr/${name}`, join(rootfs, name));
    const config = {
      ociVersion: "1.0.2",
      process: { user: { uid: 0, gid: 0 }, args: ["/bin/true"], cwd: "/", env: ["PATH=/bin"] },
      root: { path: "rootfs", readonly: true },
      mounts: [
        { destination: "/proc", type: "proc", source: "proc" },
        { destination: "/usr", type: "bind", source: "/usr", options: ["bind", "ro"] },
      ],
      linux: {
        cgroupsPath: `/cloison-needs-${process.pid}`,
        namespaces: ["pid", "mount", "network", "ipc", "uts"].map((type) => ({ type })),
      },
    };
    writeFileSync(join(directory, "config.json"), JSON.stringify(config));
    return runs([runtime, "--root", join(directory, "state"), "run", "--bundle", directory, `needs-${process.pid}`]);
  });
}

/** The loop device goes with the mount, and the mount with its namespace. */
function tryLoop(): Reason {
  return withScratch((directory) =>
    runs([
      "unshare",
      "--mount",
      "sh",
      "-ec",
      `truncate -s 8M "$1/disk"; mkfs.ext4 -q "$1/disk"; mount -o loop "$1/disk" /mnt; touch /mnt/f; umount /mnt`,
      "sh",
      directory,
    ]),
  );
}

function tryControlGroupsV1(): Reason {
  for (const [controller, file, text] of [
    ["memory", "memory.limit_in_bytes", "67108864"],
    ["pids", "pids.max", "10"],
    ["cpu", "cpu.cfs_quota_us", "10000"],
  ] as const) {
    const root = mounts().find((mount) => mount.type === "cgroup" && mount.options.includes(controller));
    if (root === undefined) return `no version 1 hierarchy has the ${controller} controller`;
    const reason = tryGroup(root.target, file, text);
    if (reason !== null) return reason;
  }
  return null;
}

function tryControlGroupsV2(): Reason {
  const root = mounts().find((mount) => mount.type === "cgroup2");
  if (root === undefined) return "no version 2 hierarchy is mounted";
  const controllers = readFileSync(join(root.target, "cgroup.controllers"), "utf8").trim().split(" ");
  const missing = ["cpu", "cpuset", "io", "memory", "pids"].filter((controller) => !controllers.includes(controller));
  if (missing.length > 0) return `the version 2 hierarchy lacks the controllers ${missing.join(", ")}`;
  return tryGroup(root.target, "cgroup.procs", null);
}

/** Makes a group, sets a limit in it, removes it again. */
function tryGroup(root: string, file: string, text: string | null): Reason {
  const group = join(root, `cloison-needs-${process.pid}`);
  try {
    mkdirSync(group);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  try {
    if (text !== null) writeFileSync(join(group, file), text);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    rmdirSync(group);
  }
}

function mounts(): { target: string; type: string; options: string[] }[] {
  return readFileSync("/proc/self/mounts", "utf8")
    .trim()
    .split("\n")
    .map((line) => {
      const [, target = "", type = "", options = ""] = line.split(" ");
      return { target, type, options: options.split(",") };
    });
}

/** Fetches the smallest package there is (11 kB) from the machine's own sources. */
function tryApt(): Reason {
  return withScratch((directory) => {
    const [file, ...args] = ["apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download", "hostname"] as const;
    const done = spawnSync(file, args, { cwd: directory, encoding: "utf8", timeout: 60_000, killSignal: "SIGKILL" });
    if (done.error !== undefined) return done.error.message;
    return done.status === 0 ? null : `apt-get download failed: ${done.stderr.trim().split("\n").at(-1) ?? ""}`;
  });
}
