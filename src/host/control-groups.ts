import { ExitCode, LabError } from "../model/error.ts";
import { destroyGroup, descend } from "./cgroup-destroy.ts";
import type { CgroupTree } from "./cgroup-tree.ts";
import type { Clock, ControlGroups } from "./host.ts";
import { parseMountInfo } from "./mount-info.ts";
import { hasCode } from "./syscalls.ts";

/** Controllers that limit or account; a machine may lack some. */
const V1_CONTROLLERS = ["cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "pids", "blkio"];
const V2_CONTROLLERS = ["cpu", "cpuset", "memory", "pids", "io"];

/** Parent of all groups of Cloison. */
const TOP = "cloison";

/** Where a group's directories lie: one hierarchy for all controllers (v2), or several with one or more each (v1). */
interface Hierarchy {
  directory: string;
  controllers: string[];
}

interface ControlGroupsOptions {
  tree: CgroupTree;
  /** Text of /proc/self/mountinfo: says which version there is and where. */
  mountInfo: string;
  clock: Pick<Clock, "sleep" | "monotonicMs">;
  /** This process, which is never killed. */
  ownPid: number;
}

/** Finds the hierarchies. A machine that has both versions counts as v1, and its unified hierarchy is left alone. */
export function findHierarchies(mountInfo: string): { version: 1 | 2; hierarchies: Hierarchy[] } {
  const mounts = parseMountInfo(mountInfo);
  const v1 = mounts
    .filter(({ type }) => type === "cgroup")
    .map(({ target, superOptions }) => ({
      directory: target,
      controllers: superOptions.filter((option) => V1_CONTROLLERS.includes(option)),
    }))
    .filter(({ controllers }) => controllers.length > 0)
    // A hierarchy may be shown again elsewhere, in a chroot's /sys for one; the first is the machine's own.
    .filter(
      (one, index, all) => all.findIndex((other) => other.controllers.join() === one.controllers.join()) === index,
    );
  if (v1.length > 0) return { version: 1, hierarchies: v1 };

  const v2 = mounts.find(({ type }) => type === "cgroup2");
  return { version: 2, hierarchies: v2 ? [{ directory: v2.target, controllers: V2_CONTROLLERS }] : [] };
}

/**
 * Hierarchies of a v1 machine that limit nothing of ours: named ones, and the unified one beside them. A container runtime
 * makes its groups there too.
 */
export function findOtherHierarchies(mountInfo: string): string[] {
  const { version, hierarchies } = findHierarchies(mountInfo);
  if (version === 2) return [];
  return parseMountInfo(mountInfo)
    .filter(({ type }) => type === "cgroup" || type === "cgroup2")
    .map(({ target }) => target)
    .filter((target) => !hierarchies.some(({ directory }) => directory === target));
}

export function createControlGroups({ tree, mountInfo, clock, ownPid }: ControlGroupsOptions): ControlGroups {
  const { version, hierarchies } = findHierarchies(mountInfo);
  const others = findOtherHierarchies(mountInfo);

  function directories(group: string): string[] {
    checkGroup(group);
    if (hierarchies.length === 0) {
      throw new LabError("no control groups are mounted", {
        hint: "mount -t cgroup2 none /sys/fs/cgroup",
        exit: ExitCode.unavailable,
      });
    }
    return hierarchies.map(({ directory }) => `${directory}/${group}`);
  }

  function ensure(group: string): void {
    for (let attempt = 1; !directories(group).every((directory) => tree.exists(directory)); attempt++) {
      try {
        make(group);
      } catch (error) {
        // Another lab's end took the empty `cloison` away between two steps.
        if (hasCode(error, "ENOENT", "ENODEV") && attempt < 5) continue;
        if (error instanceof LabError || !(error instanceof Error)) throw error;
        throw new LabError(`cannot make control group ${group}: ${error.message}`, {
          hint: "run it as root, where control groups are not mounted read-only",
          exit: ExitCode.unavailable,
          cause: error,
        });
      }
    }
  }

  function make(group: string): void {
    for (const hierarchy of hierarchies) {
      let parent = hierarchy.directory;
      for (const part of group.split("/")) {
        const directory = `${parent}/${part}`;
        if (version === 2) enableControllers(tree, parent);
        tree.make(directory);
        if (version === 1 && hierarchy.controllers.includes("cpuset")) inheritCpuset(tree, parent, directory);
        parent = directory;
      }
    }
  }

  /** null when the machine lacks the controller. */
  function controllerFile(group: string, controller: string, file: string): string | null {
    checkGroup(group);
    const hierarchy = hierarchies.find(({ controllers }) => version === 2 || controllers.includes(controller));
    return hierarchy ? `${hierarchy.directory}/${group}/${file}` : null;
  }

  async function pids(group: string): Promise<number[]> {
    const listed = directories(group)
      .flatMap((directory) => descend(tree, directory))
      .flatMap((directory) => (tree.read(`${directory}/cgroup.procs`) ?? "").split("\n").map(Number))
      // 0 stands for a process that this pid namespace does not see.
      .filter((pid) => pid > 0);
    return [...new Set(listed)].toSorted((a, b) => a - b);
  }

  return {
    version,
    directories,
    pids,

    async ensure(group) {
      ensure(group);
    },

    async children(group) {
      return [...new Set(directories(group).flatMap((directory) => tree.groups(directory)))].toSorted();
    },

    async read(group, controller, file) {
      const path = controllerFile(group, controller, file);
      return path === null ? null : tree.read(path);
    },

    async write(group, controller, file, text) {
      const path = controllerFile(group, controller, file);
      if (path === null) throw lacksController(controller);
      ensure(group);
      try {
        tree.write(path, text);
      } catch (cause) {
        if (hasCode(cause, "ENOENT")) throw lacksController(`${controller} (${file})`, cause);
        const why = cause instanceof Error ? cause.message : String(cause);
        throw new LabError(`cannot set ${file} of control group ${group} to ${JSON.stringify(text)}: ${why}`, {
          cause,
        });
      }
    },

    async destroy(group, deadlineMs) {
      await destroyGroup({
        group,
        version,
        directories: directories(group),
        pids: () => pids(group),
        deadlineMs,
        tree,
        clock,
        ownPid,
      });
      for (const other of others) {
        for (const directory of descend(tree, `${other}/${group}`).toReversed()) tree.remove(directory);
      }
      // The last one takes along the parents, which hold no settings; the kernel refuses while others are in them.
      for (let parent = parentOf(group); parent !== ""; parent = parentOf(parent)) {
        for (const directory of [...hierarchies.map((hierarchy) => hierarchy.directory), ...others])
          tree.remove(`${directory}/${parent}`);
      }
    },
  };
}

/** `cloison/lab/domain` → `cloison/lab`; empty for the top. */
function parentOf(group: string): string {
  return group.slice(0, Math.max(0, group.lastIndexOf("/")));
}

/** Everything that is done to a group goes through this check: nothing outside `cloison` is ever made, killed or removed. */
function checkGroup(group: string): void {
  const parts = group.split("/");
  if (parts[0] !== TOP || !parts.every((part) => /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(part))) {
    throw new LabError(`${JSON.stringify(group)} is not a control group of Cloison: its name begins with cloison/`);
  }
}

/** A group's children have only the controllers that it hands down; the kernel takes them from the root downwards. */
function enableControllers(tree: CgroupTree, directory: string): void {
  const words = (file: string) => (tree.read(`${directory}/${file}`) ?? "").split(/\s+/);
  const enabled = words("cgroup.subtree_control");
  const missing = V2_CONTROLLERS.filter(
    (name) => words("cgroup.controllers").includes(name) && !enabled.includes(name),
  );
  if (missing.length === 0) return;
  try {
    tree.write(`${directory}/cgroup.subtree_control`, missing.map((name) => `+${name}`).join(" "));
  } catch (cause) {
    if (!hasCode(cause, "EBUSY")) throw cause;
    // "No internal process constraint" of the kernel's cgroup-v2 documentation.
    throw new LabError(`${directory} cannot hand down ${missing.join(", ")}: processes live directly in it`, {
      hint: "run outside of a container, or move those processes into a group of their own",
      exit: ExitCode.unavailable,
      cause,
    });
  }
}

/** A new v1 cpuset is empty, and refuses processes until it has CPUs and memory nodes. */
function inheritCpuset(tree: CgroupTree, parent: string, directory: string): void {
  for (const file of ["cpuset.cpus", "cpuset.mems"]) {
    if (tree.read(`${directory}/${file}`)?.trim() !== "") continue;
    tree.write(`${directory}/${file}`, (tree.read(`${parent}/${file}`) ?? "").trim());
  }
}

function lacksController(controller: string, cause?: unknown): LabError {
  return new LabError(`this machine has no ${controller} control group`, {
    hint: "`cloison check` says on which platforms domains run here",
    exit: ExitCode.unavailable,
    cause,
  });
}
