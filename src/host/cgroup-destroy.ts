import { LabError } from "../model/error.ts";
import type { CgroupTree } from "./cgroup-tree.ts";
import type { Clock } from "./host.ts";

interface Destruction {
  group: string;
  version: 1 | 2;
  directories: string[];
  /** Of the group and all below. */
  pids: () => Promise<number[]>;
  deadlineMs: number;
  tree: CgroupTree;
  clock: Pick<Clock, "sleep" | "monotonicMs">;
  ownPid: number;
}

/** A process in an uninterruptible wait freezes only afterwards; the rest need not wait for it. */
const FREEZE_MS = 200;

/** The directory and all below, parents first. */
export function descend(tree: CgroupTree, directory: string): string[] {
  return [directory, ...tree.groups(directory).flatMap((name) => descend(tree, `${directory}/${name}`))];
}

/**
 * Kills until nobody is left, then removes the directories. Throws LabError after the deadline, or when this very process
 * is in the group.
 */
export async function destroyGroup(destruction: Destruction): Promise<void> {
  const { group, directories, deadlineMs, tree, clock } = destruction;
  const untilMs = clock.monotonicMs() + deadlineMs;
  for (let pauseMs = 1; ; pauseMs = Math.min(2 * pauseMs, 50)) {
    const pids = await destruction.pids();
    if (pids.includes(destruction.ownPid)) {
      throw new LabError(`this command runs inside control group ${group}, which it is to end`, {
        hint: "run it from another shell",
      });
    }
    if (pids.length === 0) {
      const busy = directories.filter((directory) => !removeAll(tree, directory));
      if (busy.length === 0) return;
    } else {
      await killAll(destruction);
    }
    if (clock.monotonicMs() > untilMs) {
      const left = (await destruction.pids()).slice(0, 10);
      throw new LabError(`control group ${group} did not end within ${deadlineMs} ms`, {
        hint:
          left.length === 0 ? "try again" : `look at the state of pids ${left.join(", ")} (ps -o pid,stat,wchan,cmd)`,
      });
    }
    await clock.sleep(pauseMs);
  }
}

async function killAll({ version, directories, pids, tree, clock }: Destruction): Promise<void> {
  const groups = directories.flatMap((directory) => descend(tree, directory));
  if (version === 2) {
    // Linux 5.14 and later: kills the whole subtree at once, forks under way included.
    const files = directories.map((directory) => `${directory}/cgroup.kill`);
    if (files.every((file) => tree.exists(file))) {
      for (const file of files) writeIfThere(tree, file, "1");
      return;
    }
  }
  const freezer =
    version === 2
      ? { file: "cgroup.freeze", on: "1", off: "0", state: "cgroup.events", isFrozen: /^frozen 1$/m }
      : { file: "freezer.state", on: "FROZEN", off: "THAWED", state: "freezer.state", isFrozen: /^FROZEN$/m };
  const tops = directories.filter((directory) => tree.exists(`${directory}/${freezer.file}`));

  // What is frozen cannot fork between being listed and being killed, nor give its pid to somebody else.
  for (const top of tops) writeIfThere(tree, `${top}/${freezer.file}`, freezer.on);
  const isFrozen = (top: string) => freezer.isFrozen.test(tree.read(`${top}/${freezer.state}`) ?? "");
  const untilMs = clock.monotonicMs() + FREEZE_MS;
  while (!tops.every(isFrozen) && clock.monotonicMs() < untilMs) await clock.sleep(1);
  for (const pid of await pids()) tree.kill(pid);
  // All groups below too: somebody may have frozen one by itself (`runc pause`), and a frozen v1 process does not die.
  for (const group of groups) writeIfThere(tree, `${group}/${freezer.file}`, freezer.off);
}

/** Deepest first. Returns false when one was busy. */
function removeAll(tree: CgroupTree, directory: string): boolean {
  return descend(tree, directory)
    .toReversed()
    .map((path) => tree.remove(path))
    .every(Boolean);
}

/** The group may go away at any time: a runtime removes its own. */
function writeIfThere(tree: CgroupTree, path: string, text: string): void {
  if (!tree.exists(path)) return;
  try {
    tree.write(path, text);
  } catch (error) {
    if (tree.exists(path)) throw error;
  }
}
