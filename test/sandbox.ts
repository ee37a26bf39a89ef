import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { kernelSnapshot, type KernelSnapshot } from "./kernel-snapshot.ts";

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/**
 * A corner of the machine in which `cloison down --all` finds only what was made in it: a mount namespace with its own /run,
 * state folder and tops of the control group hierarchies. So a test cannot end the labs of whoever runs it. Images are the
 * machine's.
 */
export interface Sandbox {
  /** CLOISON_STATE of what runs inside. */
  state: string;
  /** A folder for the test's files, seen from inside and outside. */
  folder: string;
  /** Runs a program inside to its end. */
  run(argv: string[], options?: { input?: string }): Ended;
  /** Starts a program inside; resolves at its end. */
  start(argv: string[]): { child: ChildProcess; ended: Promise<Ended> };
  /** Runs the command line inside. */
  cloison(...args: string[]): Ended;
  /** As that, what it printed. @throws Error with what it said when it did not end well */
  succeed(...args: string[]): string;
  snapshot(): KernelSnapshot;
  /** Kills what is left inside, and takes the corner away. */
  close(): Promise<void>;
}

const root = fileURLToPath(new URL("..", import.meta.url));
/** What `cloison` runs once it has built it. */
export const PROGRAM = join(root, "dist/cloison.cjs");

/** Builds what sandboxes run: the launcher is asked once, and then left out, as it has tests of its own. */
export function prepareProgram(): void {
  const built = spawnSync(join(root, "cloison"), ["--version"], { encoding: "utf8" });
  if (built.status !== 0) throw new Error(`cloison does not build: ${built.stderr}`);
}

/**
 * First lets go of what other labs have mounted: a copy in here would keep it from ending. Then moves the tops of the
 * hierarchies into a group of the sandbox; a new v1 cpuset is empty, and v2 hands down nothing until told.
 */
const SETUP = `
set -eu
name=$1
awk '$5 != "/" && ($5 ~ "^/run/" || / - (nsfs|overlay) / || / - [a-z0-9]+ \\/dev\\/loop/) { print $5 }' /proc/self/mountinfo | sort -r | while read -r left; do
  # Listed twice when something is mounted on it twice, and hidden when on what is above it.
  umount --lazy "$left" 2>/dev/null || true
done
awk '$0 ~ / - cgroup2? / { print $5 }' /proc/self/mountinfo | sort -u | while read -r top; do
  if [ -e "$top/cgroup.controllers" ]; then
    for controller in $(cat "$top/cgroup.controllers"); do echo "+$controller" >"$top/cgroup.subtree_control"; done
  fi
  mkdir "$top/$name"
  if [ -e "$top/cpuset.cpus" ] && [ ! -e "$top/cgroup.controllers" ]; then
    for file in cpuset.cpus cpuset.mems; do cat "$top/$file" >"$top/$name/$file"; done
  fi
  mount --bind "$top/$name" "$top"
done
mount -t tmpfs -o mode=755 tmpfs /run
echo ready
exec sleep infinity
`;

/** @param images `own`: an image store that is empty but for packages which the machine has fetched already */
export async function createSandbox({
  images: whose = "machine",
}: { images?: "machine" | "own" } = {}): Promise<Sandbox> {
  const folder = mkdtempSync(join(tmpdir(), "cloison-sandbox-"));
  const name = basename(folder);
  const state = join(folder, "state");
  const images = join(process.env["CLOISON_STATE"] ?? "/var/lib/cloison", "images");
  mkdirSync(images, { recursive: true });
  mkdirSync(state);
  if (whose === "machine") symlinkSync(images, join(state, "images"));
  else {
    const packages = join(images, ".apt/archives");
    mkdirSync(join(state, "images/.apt"), { recursive: true });
    // On another file system they are fetched anew.
    if (existsSync(packages)) spawnSync("cp", ["-al", packages, join(state, "images/.apt/archives")]);
  }
  const holder = spawn("unshare", ["--mount", "--propagation", "private", "sh", "-c", SETUP, "sh", name], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await new Promise<void>((resolve, reject) => {
    holder.stdout.once("data", () => resolve());
    holder.once("exit", (code) => {
      rmSync(folder, { recursive: true, force: true });
      reject(new Error(`the sandbox's set-up ended with ${code}`));
    });
  });
  const pid = holder.pid as number;
  const enter = ["nsenter", "--target", `${pid}`, "--mount", "--"];
  const env = { ...process.env, CLOISON_STATE: state };

  const run: Sandbox["run"] = (argv, { input = "" } = {}) => {
    const [program = "", ...args] = [...enter, ...argv];
    const { status, stdout, stderr, error } = spawnSync(program, args, { env, input, encoding: "utf8", cwd: folder });
    if (error !== undefined) throw error;
    return { code: status, stdout, stderr };
  };

  const cloison: Sandbox["cloison"] = (...args) => run([process.execPath, PROGRAM, ...args]);

  return {
    state,
    folder,
    run,
    cloison,
    succeed(...args) {
      const { code, stdout, stderr } = cloison(...args);
      if (code !== 0) throw new Error(`cloison ${args.join(" ")} ended with ${code}: ${stderr}`);
      return stdout;
    },
    start(argv) {
      const [program = "", ...args] = [...enter, ...argv];
      const child = spawn(program, args, { env, cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
      let stdout = "";
      let stderr = "";
      child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
      child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
      const ended = new Promise<Ended>((resolve) => child.once("close", (code) => resolve({ code, stdout, stderr })));
      return { child, ended };
    },
    snapshot: () => kernelSnapshot({ run: (argv) => run(argv).stdout, state, mountNamespaceOf: pid, group: name }),
    async close() {
      const tops = run(["sh", "-c", "awk '$0 ~ / - cgroup2? / { print $5 }' /proc/self/mountinfo | sort -u"])
        .stdout.trim()
        .split("\n");
      holder.removeAllListeners("exit");
      for (let tries = 0; ; tries++) {
        const groups = tops.flatMap((top) => descend(join(top, name)));
        for (const group of groups) killAll(group);
        const left = groups.reverse().filter((group) => !removed(group));
        if (left.length === 0) break;
        if (tries > 100) throw new Error(`control groups of the sandbox stay: ${left.join(", ")}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      holder.kill("SIGKILL");
      await new Promise((resolve) => holder.once("close", resolve));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function descend(group: string): string[] {
  if (!existsSync(group)) return [];
  const below = readdirSync(group, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return [group, ...below.flatMap((entry) => descend(join(group, entry.name)))];
}

function killAll(group: string): void {
  const freezer = join(group, "freezer.state");
  if (existsSync(freezer)) writeFileSync(freezer, "THAWED");
  for (const pid of readFileSync(join(group, "cgroup.procs"), "utf8").split("\n").map(Number)) {
    if (pid > 0) spawnSync("kill", ["-KILL", `${pid}`]);
  }
}

function removed(group: string): boolean {
  return spawnSync("rmdir", [group]).status === 0;
}
