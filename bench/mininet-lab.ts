import { createInterface } from "node:readline";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import type { Host } from "../src/host/host.ts";
import type { Cycle } from "./lab-cycle.ts";

/** Debian's package is for Debian's Python, which need not be the first on PATH. */
const PYTHON = "/usr/bin/python3";
const SCRIPT = resolve("bench/labs/mininet-256.py");
const END_MS = 20_000;

/**
 * The same topology by Mininet's API (bench/labs/mininet-256.py). Its bridge, too, lives in a network namespace, not in the machine's
 * own. `up` is from the start of the process to its first ping, `down` until it has ended.
 */
export function mininetLab(host: Host, namespace: string): Cycle & { end(): Promise<void> } {
  const cgroup = `cloison/bench-mininet-${process.pid}`;
  let mininet: ChildProcess | undefined;
  return {
    async up() {
      // In a control group, so that whatever happens it can be ended with all its hosts' shells.
      await host.cgroups.ensure(cgroup);
      const enter =
        'for group in "$@"; do echo $$ >"$group/cgroup.procs"; done; exec nsenter "--net=$NETNS" -- "$PYTHON" "$SCRIPT"';
      mininet = spawn("sh", ["-e", "-c", enter, "sh", ...host.cgroups.directories(cgroup)], {
        stdio: ["pipe", "pipe", "pipe"],
        env: { ...process.env, NETNS: host.namespaces.path(namespace), PYTHON, SCRIPT },
      });
      if (mininet.stdout === null || mininet.stderr === null) throw new Error("unreachable: both are pipes");
      let complaint = "";
      mininet.stderr.setEncoding("utf8").on("data", (text: string) => (complaint = (complaint + text).slice(-2000)));
      for await (const line of createInterface({ input: mininet.stdout })) if (line === "passed") return;
      throw new Error(`Mininet ended before its first ping: ${complaint}`);
    },
    async down() {
      if (mininet === undefined) throw new Error("Mininet does not run");
      const ended = once(mininet, "exit") as Promise<[number | null]>;
      mininet.stdin?.end("\n");
      const [code] = await ended;
      if (code !== 0) throw new Error(`Mininet ended with ${code}`);
      mininet = undefined;
    },
    end: () => host.cgroups.destroy(cgroup, END_MS),
  };
}
