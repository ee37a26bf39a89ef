import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  statfsSync,
  unlinkSync,
} from "node:fs";
import { availableParallelism } from "node:os";
import { ExitCode, LabError } from "../model/error.ts";
import type { NamespaceName } from "../model/plan.ts";
import type { Namespaces } from "./host.ts";
import { addWithIproute } from "./iproute-namespaces.ts";
import { parseMountInfo } from "./mount-info.ts";
import { NamespaceDescriptor } from "./namespace-descriptor.ts";
import { NetlinkSocket } from "./netlink.ts";
import * as sys from "./syscalls.ts";

/** Where iproute2 keeps named network namespaces, one file each (ip-netns(8)). */
const DIRECTORY = "/run/netns";

/** The calling thread's own; /proc/self would be the main thread's. */
const CURRENT = "/proc/thread-self/ns/net";

/** linux/magic.h: what statfs says of a file that stands for a namespace. */
const NSFS_MAGIC = 0x6e736673;

/**
 * Named network namespaces, the same as iproute2's. Everything that changes the calling thread's namespace is synchronous,
 * so that no other JavaScript ever runs in the wrong one.
 */
export function createNamespaces(): Namespaces {
  return {
    create,

    async remove(names) {
      names.forEach(checkName);
      if (existsSync(DIRECTORY)) removeAll(names);
    },

    async list() {
      return existsSync(DIRECTORY) ? readdirSync(DIRECTORY).toSorted() : [];
    },

    path,
    open,
    netlink: (name) => (name === null ? new NetlinkSocket() : within(name, () => new NetlinkSocket())),
    within,
  };
}

function path(name: NamespaceName): string {
  checkName(name);
  return `${DIRECTORY}/${name}`;
}

/** The name becomes a path below /run/netns. */
function checkName(name: NamespaceName): void {
  if (!/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,254}$/.test(name)) {
    throw new LabError(`${JSON.stringify(name)} cannot name a network namespace`);
  }
}

/** From so many on, a second process is worth its start. */
const HELPED_FROM = 64;

/** All of them, or none. */
async function create(names: NamespaceName[]): Promise<void> {
  names.forEach(checkName);
  const made: NamespaceName[] = [];
  const making = (work: () => void) => explained("make network namespaces", work);
  const others = names.slice(1);
  let isShared = false;
  try {
    // No longer locked than for one: nobody takes the mount from a directory that holds a namespace.
    making(() =>
      withDirectoryLocked(() => {
        shareDirectory();
        isShared = true;
        createEach(names.slice(0, 1), made);
      }),
    );
    const isHelped = others.length >= HELPED_FROM && availableParallelism() > 1;
    const helped = new Set(isHelped ? others.slice(others.length / 2).filter((name) => !existsSync(path(name))) : []);
    made.push(...helped);
    const help = helped.size === 0 ? Promise.resolve() : addWithIproute([...helped]);
    try {
      making(() =>
        createEach(
          others.filter((name) => !helped.has(name)),
          made,
        ),
      );
    } finally {
      await Promise.allSettled([help]);
    }
    await help;
  } catch (error) {
    if (isShared) removeAll(made);
    throw error;
  }
}

/** @param made gets each name before it is made */
function createEach(names: NamespaceName[], made: NamespaceName[]): void {
  homeNamespace();
  try {
    for (const name of names) {
      if (isNamespace(path(name))) {
        throw new LabError(`the network namespace ${name} exists already`, {
          hint: `\`ip netns pids ${name}\` shows who uses it; \`cloison down\` takes a lab's own away`,
        });
      }
      made.push(name);
      closeSync(openSync(path(name), constants.O_RDONLY | constants.O_CREAT, 0));
      sys.unshare(sys.CLONE_NEWNET);
      sys.mount(CURRENT, path(name), null, sys.MS_BIND);
    }
  } finally {
    sys.setns(homeNamespace(), sys.CLONE_NEWNET);
  }
}

let home: number | null = null;

/** The calling thread's own namespace, opened once and by whoever first leaves it; each thread has a module of its own. */
function homeNamespace(): number {
  return (home ??= openSync(CURRENT, constants.O_RDONLY));
}

function removeAll(names: NamespaceName[]): void {
  explained("remove network namespaces", () =>
    withDirectoryLocked(() => {
      removeEach(names);
      unshareDirectory();
    }),
  );
}

/** One that cannot be removed is no reason to leave the others. Throws what the first said. */
function removeEach(names: NamespaceName[]): void {
  const failures: unknown[] = [];
  for (const name of names) {
    try {
      removeOne(name);
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}

/** Also takes away what a crash left half-made: a file on which nothing is mounted, or several mounts on one. */
function removeOne(name: NamespaceName): void {
  const file = path(name);
  while (isNamespace(file)) sys.umount(file, sys.MNT_DETACH | sys.UMOUNT_NOFOLLOW);
  try {
    unlinkSync(file);
  } catch (error) {
    if (!sys.hasCode(error, "ENOENT")) throw error;
  }
}

function isNamespace(file: string): boolean {
  try {
    return statfsSync(file).type === NSFS_MAGIC;
  } catch (error) {
    if (sys.hasCode(error, "ENOENT")) return false;
    throw error;
  }
}

function open(name: NamespaceName): NamespaceDescriptor {
  const file = path(name);
  if (!isNamespace(file))
    throw new LabError(`there is no network namespace ${name}`, { hint: "`cloison up` makes a lab's own" });
  return explained(`enter ${name}`, () => new NamespaceDescriptor(file));
}

function within<T>(namespace: NamespaceName | NamespaceDescriptor, work: () => T): T {
  if (typeof namespace === "string") {
    const opened = open(namespace);
    try {
      return within(opened, work);
    } finally {
      opened.close();
    }
  }
  homeNamespace();
  try {
    explained("enter a network namespace", () => sys.setns(namespace.fd, sys.CLONE_NEWNET));
    const result = work();
    if (result instanceof Promise) throw new TypeError("work inside a namespace must be synchronous");
    return result;
  } finally {
    sys.setns(homeNamespace(), sys.CLONE_NEWNET);
  }
}

/**
 * Makes the directory a shared mount, as `ip netns add` does, so that an unmount reaches other mount namespaces too.
 * Without it the next `ip netns add` would bind the directory over itself, our mounts would lie on it twice, and
 * removing one of the two would leave the file busy.
 */
function shareDirectory(): void {
  try {
    sys.mount("", DIRECTORY, "none", sys.MS_SHARED | sys.MS_REC);
  } catch (error) {
    // EINVAL: the directory is not a mount point yet.
    if (!sys.hasCode(error, "EINVAL")) throw error;
    sys.mount(DIRECTORY, DIRECTORY, "none", sys.MS_BIND | sys.MS_REC);
    sys.mount("", DIRECTORY, "none", sys.MS_SHARED | sys.MS_REC);
  }
}

/** Undoes `shareDirectory` with the last namespace: the machine is left as it was found. `ip netns add` makes it again. */
function unshareDirectory(): void {
  const isMount = parseMountInfo(readFileSync("/proc/self/mountinfo", "utf8")).some(
    ({ target }) => target === DIRECTORY,
  );
  if (!isMount || readdirSync(DIRECTORY).length > 0) return;
  try {
    sys.umount(DIRECTORY, sys.MNT_DETACH | sys.UMOUNT_NOFOLLOW);
  } catch (error) {
    // EINVAL: what mountinfo lists lies hidden below another mount on /run.
    if (!sys.hasCode(error, "EINVAL")) throw error;
  }
}

/** iproute2 takes the same lock while it makes the directory a mount (Debian bug 949235 tells what happens without). */
function withDirectoryLocked(work: () => void): void {
  mkdirSync(DIRECTORY, { recursive: true, mode: 0o755 });
  const fd = openSync(DIRECTORY, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    sys.flock(fd, sys.LOCK_EX);
    work();
  } finally {
    closeSync(fd);
  }
}

/** What the user can do about refusals of the kernel. */
const HINTS = new Map([
  ["EPERM", "run it as root"],
  ["EACCES", "run it as root"],
  ["ENOSPC", "the kernel allows no more: sysctl -w user.max_net_namespaces=10000"],
]);

function explained<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    for (const [code, hint] of HINTS) {
      if (!sys.hasCode(error, code)) continue;
      throw new LabError(`cannot ${what}: ${code}`, { hint, exit: ExitCode.unavailable, cause: error });
    }
    throw error;
  }
}
