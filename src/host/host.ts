import type { NamespaceName } from "../model/plan.ts";
import type { NamespaceDescriptor } from "./namespace-descriptor.ts";
import type { NetlinkSocket } from "./netlink.ts";

/** A program to run. */
export interface Command {
  argv: [string, ...string[]];
  env?: Record<string, string>;
  cwd?: string;
  /** Network namespace to enter first; default: the machine's own. */
  namespace?: NamespaceName;
  /** Control group, from the root of every hierarchy (`cloison/study/host`); joined before exec, made if missing. */
  cgroup?: string;
  /** CPUs to run on. */
  cpus?: number[];
  /** -20 (first) to 19. */
  nice?: number;
  /** An iterable's texts are written as they come; its end closes standard input. */
  stdin?: string | AsyncIterable<string>;
  /** Ends the program (SIGKILL to its process group) when it takes longer. */
  timeoutMs?: number;
  /** Ends the program (SIGTERM to its process group, SIGKILL 2 s later); `run` and `must` then throw the signal's reason. */
  signal?: AbortSignal;
  /** Where output goes; default: captured, the last 8 MiB of each stream. `stdout`: given away as it comes; stderr is captured. A detached program's is dropped unless it goes to a file. */
  output?: "capture" | "inherit" | { file: string } | { stdout: (chunk: Uint8Array) => void };
}

export interface Finished {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  timedOut: boolean;
}

/** A program that goes on. */
export interface Running {
  pid: number;
  exited: Promise<Finished>;
  /** Sends the signal to the process group. */
  kill(signal: NodeJS.Signals): void;
}

export interface Processes {
  /** Runs to the end; a non-zero exit is a result, not an error. Throws LabError when the program is not there. */
  run(command: Command): Promise<Finished>;
  /** As `run`, and throws LabError naming the program, its exit and the end of its stderr when it fails. */
  must(command: Command): Promise<string>;
  /** Starts it and leaves it running. `detached` lets it outlive this process; any other gets SIGTERM when this process dies. */
  start(command: Command, options?: { detached?: boolean }): Promise<Running>;
}

export interface Files {
  exists(path: string): Promise<boolean>;
  readText(path: string): Promise<string>;
  /** null when there is none. */
  readTextIfExists(path: string): Promise<string | null>;
  /** Makes parent directories. */
  writeText(path: string, text: string, mode?: number): Promise<void>;
  /** Written beside, synced, renamed: a reader sees the old text or the new, also after a crash. */
  replaceText(path: string, text: string): Promise<void>;
  /** Adds to the end and syncs before it returns. */
  appendSynced(path: string, text: string): Promise<void>;
  list(path: string): Promise<string[]>;
  /** What stands at the path itself: a symbolic link is not followed. null: nothing. */
  kind(path: string): Promise<"file" | "directory" | "symlink" | "other" | null>;
  /** Another text after each change of the file, by its inode and times; null: there is none. Nothing is read. */
  stamp(path: string): Promise<string | null>;
  makeDirectory(path: string): Promise<void>;
  /** Recursive; nothing there is fine. Never crosses a mount point. */
  remove(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
}

export interface Namespaces {
  create(names: NamespaceName[]): Promise<void>;
  /** Idempotent. */
  remove(names: NamespaceName[]): Promise<void>;
  /** All of the machine's named namespaces. */
  list(): Promise<NamespaceName[]>;
  /** Path of the file that stands for it. */
  path(name: NamespaceName): string;
  /** A netlink socket inside it; null: where the calling thread is. The caller closes it. */
  netlink(name: NamespaceName | null): NetlinkSocket;
  /** For whoever enters it more than once. The caller closes it. */
  open(name: NamespaceName): NamespaceDescriptor;
  /** Runs `work`, which must be synchronous, with the calling thread inside; /proc/sys/net is the namespace's own there. */
  within<T>(namespace: NamespaceName | NamespaceDescriptor, work: () => T): T;
}

export interface Mounts {
  mount(mount: { source: string; target: string; type: string; flags?: MountFlag[]; data?: string }): void;
  /** Lazy when `lazy`; not mounted is fine. */
  unmount(target: string, options?: { lazy?: boolean }): void;
  /** Mount points of this mount namespace, deepest last. */
  list(): Promise<{ target: string; type: string; source: string }[]>;
}
export type MountFlag = "bind" | "readonly" | "nosuid" | "nodev" | "private" | "recursive";

export interface ControlGroups {
  version: 1 | 2;
  /** Directories of one group, one per hierarchy in use (v2: one). */
  directories(group: string): string[];
  /** Makes the group and its parents in every hierarchy. `write` and a command's `cgroup` do so by themselves. */
  ensure(group: string): Promise<void>;
  /** Pids in the group and all groups below it. */
  pids(group: string): Promise<number[]>;
  /** Kills every process in the group and below, waits until they are gone, removes the directories. Idempotent. */
  destroy(group: string, deadlineMs: number): Promise<void>;
  /** Names of groups directly below, over all hierarchies. */
  children(group: string): Promise<string[]>;
  /** Text of a controller's file; null when the controller or the file is missing. `file`: v1's or v2's name by version. */
  read(group: string, controller: string, file: string): Promise<string | null>;
  write(group: string, controller: string, file: string, text: string): Promise<void>;
}

export interface Clock {
  /** Wall clock, ms since the epoch. */
  nowMs(): number;
  /** Monotonic. */
  monotonicMs(): number;
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** A stream socket that is connected. */
export interface Connection {
  /** Resolves when it may be written to again. Throws errno's errors, as what follows does. */
  write(bytes: Uint8Array | string): Promise<void>;
  /** What comes, until the other side closes it. One reader only. */
  [Symbol.asyncIterator](): AsyncIterator<Buffer>;
  /** At once; a read that waits ends. Idempotent. */
  close(): void;
}

/** Where this process' user sits. */
export interface UserStreams {
  /** Gives away what comes, null at its end, until the returned function is called. */
  input(take: (bytes: Buffer | null) => void): () => void;
  output(bytes: Uint8Array): void;
  error(bytes: Uint8Array): void;
  /** Of the terminal; null: it is none. */
  size(): { rows: number; columns: number } | null;
  /** Keys come as they are typed, until the returned function is called. */
  takeKeys(): () => void;
  /** Called when the terminal's size changes, until the returned function is called. */
  onResize(work: () => void): () => void;
}

/** Byte streams that are no program's. */
export interface Streams {
  /** Connects to a Unix socket; throws errno's errors. */
  connect(path: string): Promise<Connection>;
  /** Adds to a file as it comes. */
  appendTo(path: string): { write(bytes: Uint8Array): void; close(): Promise<void> };
  user: UserStreams;
}

/** An exclusive lock on a file, held by this process; the kernel lets it go when the process dies, however. */
export interface Lock {
  release(): void;
}

/** Facts about the machine. */
export interface Machine {
  bootId: string;
  /** CPUs that this process may use. */
  cpus: number[];
  /** Clock ticks since boot at which the process started; null: no such process. With the pid it names a process for good. */
  startTime(pid: number): number | null;
}

/** Everything that Cloison does to the machine goes through here. `real.ts` does it, `fake.ts` records it. */
export interface Host {
  processes: Processes;
  files: Files;
  namespaces: Namespaces;
  mounts: Mounts;
  cgroups: ControlGroups;
  clock: Clock;
  streams: Streams;
  machine: Machine;
  /** null: somebody else holds it. The file says who (pid), for messages. */
  tryLock(path: string): Lock | null;
}
