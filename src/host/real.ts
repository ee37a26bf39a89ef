import { readFileSync } from "node:fs";
import { kernelCgroupTree } from "./cgroup-tree.ts";
import { createClock } from "./clock.ts";
import { createControlGroups } from "./control-groups.ts";
import { createFiles } from "./files.ts";
import type { Host } from "./host.ts";
import { tryLock } from "./lock.ts";
import { createMachine } from "./machine.ts";
import { createMounts } from "./mounts.ts";
import { createNamespaces } from "./namespaces.ts";
import { createProcesses } from "./processes.ts";
import { createStreams } from "./streams.ts";

/** The machine that this process runs on. Reads the environment and the mounted control groups once, now. */
export function createRealHost(): Host {
  const clock = createClock();
  const cgroups = createControlGroups({
    tree: kernelCgroupTree,
    mountInfo: readFileSync("/proc/self/mountinfo", "utf8"),
    clock,
    ownPid: process.pid,
  });
  const namespaces = createNamespaces();
  return {
    processes: createProcesses(cgroups, namespaces, process.env),
    files: createFiles(),
    namespaces,
    mounts: createMounts(),
    cgroups,
    clock,
    streams: createStreams(process),
    machine: createMachine(),
    tryLock,
  };
}
