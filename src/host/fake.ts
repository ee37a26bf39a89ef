import { LabError } from "../model/error.ts";
import { FakeFiles, indent } from "./fake-files.ts";
import type { Recorder } from "./fake-files.ts";
import type {
  Command,
  Connection,
  ControlGroups,
  Finished,
  Host,
  Mounts,
  Namespaces,
  Processes,
  Running,
} from "./host.ts";
import type { NetlinkSocket } from "./netlink.ts";
import { failure } from "./processes.ts";

/** How a program ends; what is left out is a quiet success. `runs`: it goes on until it is killed or times out. */
export type FakeAnswer = Partial<Finished> | "runs" | undefined;

export interface FakeHostOptions {
  /** By default `run` succeeds without output, and what was started goes on until it is killed. */
  answers?: (command: Command) => FakeAnswer;
  /** What there is already: absolute path → text. */
  files?: Record<string, string>;
  /** Paths that are neither file nor directory. */
  kinds?: Record<string, "symlink" | "other">;
  namespaces?: string[];
  netlink?: (name: string | null) => NetlinkSocket;
  cgroupVersion?: 1 | 2;
  /** Pids of a group. A destroyed group has none. */
  pids?: Record<string, number[]>;
  /** What `cgroups.read` answers where nothing was written; key: `<group>/<file>`. */
  cgroupFiles?: Record<string, string>;
  cpus?: number[];
  /** Key: pid; missing: no such process. */
  startTimes?: Record<number, number>;
  /** Paths of locks that somebody else holds. */
  locked?: string[];
  /** What listens on a Unix socket; throws when nothing does. */
  connect?: (path: string) => Connection;
}

export interface FakeHost extends Host {
  files: FakeFiles;
  /** One entry per thing that would have been done, in order; written text is indented below its line. */
  records: string[];
  /** Lets virtual time pass; `sleep` does so by itself. */
  advance(ms: number): void;
}

/** A host on which nothing happens: it records what would be done, for golden tests. */
export function createFakeHost(options: FakeHostOptions = {}): FakeHost {
  const records: string[] = [];
  const record = (line: string) => void records.push(line);
  const startMs = Date.UTC(2026, 0, 1);
  let elapsedMs = 0;
  const advance = (ms: number) => void (elapsedMs += ms);
  const locked = new Set(options.locked);
  return {
    records,
    advance,
    files: new FakeFiles(record, options.files ?? {}, options.kinds ?? {}),
    processes: fakeProcesses(record, options.answers ?? (() => undefined), advance),
    namespaces: fakeNamespaces(record, options),
    mounts: fakeMounts(record),
    cgroups: fakeControlGroups(record, options),
    clock: {
      nowMs: () => startMs + elapsedMs,
      monotonicMs: () => elapsedMs,
      async sleep(ms, signal) {
        signal?.throwIfAborted();
        advance(ms);
      },
    },
    streams: {
      async connect(path) {
        record(`connect ${path}`);
        if (options.connect === undefined) throw new Error("this fake host was given no sockets");
        return options.connect(path);
      },
      appendTo(path) {
        record(`append to ${path}`);
        return { write: () => undefined, close: async () => undefined };
      },
      user: {
        input: () => () => undefined,
        output: () => undefined,
        error: () => undefined,
        size: () => null,
        takeKeys: () => () => undefined,
        onResize: () => () => undefined,
      },
    },
    machine: {
      bootId: "00000000-0000-4000-8000-000000000000",
      cpus: options.cpus ?? [0, 1],
      startTime: (pid) => options.startTimes?.[pid] ?? null,
    },
    tryLock(path) {
      if (locked.has(path)) return null;
      locked.add(path);
      record(`lock ${path}`);
      return {
        release() {
          if (locked.delete(path)) record(`unlock ${path}`);
        },
      };
    },
  };
}

/** As a user would type it, with what surrounds it in brackets before. */
function describeCommand(command: Command): string {
  const { argv, namespace, cgroup, cpus, nice, cwd, timeoutMs, output, stdin, env = {} } = command;
  const around = Object.entries({
    namespace,
    cgroup,
    cpus: cpus?.join(","),
    nice,
    cwd,
    timeoutMs,
    output: typeof output === "object" ? ("file" in output ? output.file : "given away") : output,
  }).flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${value}`]));
  const quote = (word: string) =>
    /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
  const line = [
    ...(around.length === 0 ? [] : [`[${around.join(" ")}]`]),
    ...Object.entries(env).map(([name, value]) => `${name}=${quote(value)}`),
    ...argv.map(quote),
  ].join(" ");
  return stdin === undefined ? line : `${line}${indent(typeof stdin === "string" ? stdin : "what comes")}`;
}

function fakeProcesses(
  record: Recorder,
  answers: (command: Command) => FakeAnswer,
  advance: (ms: number) => void,
): Processes {
  const success = { code: 0, signal: null, stdout: "", stderr: "", timedOut: false };
  let lastPid = 1000;

  async function run(command: Command): Promise<Finished> {
    command.signal?.throwIfAborted();
    record(`run ${describeCommand(command)}`);
    const answer = answers(command);
    if (answer !== "runs") return { ...success, ...answer };
    if (command.timeoutMs === undefined) throw new Error(`the fake ${command.argv[0]} would never end`);
    advance(command.timeoutMs);
    return { ...success, code: null, signal: "SIGKILL", timedOut: true };
  }

  return {
    run,
    async must(command) {
      const finished = await run(command);
      if (finished.code !== 0) throw failure(command, finished);
      return finished.stdout;
    },
    async start(command, { detached = false } = {}): Promise<Running> {
      command.signal?.throwIfAborted();
      record(`start ${detached ? "detached " : ""}${describeCommand(command)}`);
      const pid = ++lastPid;
      const answer = answers(command) ?? "runs";
      let gone = answer !== "runs";
      let resolve: (finished: Finished) => void;
      const killed = new Promise<Finished>((settle) => (resolve = settle));
      return {
        pid,
        exited: answer === "runs" ? killed : Promise.resolve({ ...success, ...answer }),
        kill(signal) {
          if (gone) return;
          gone = true;
          record(`kill ${pid} ${signal} (${command.argv[0]})`);
          resolve({ ...success, code: null, signal });
        },
      };
    },
  };
}

function fakeNamespaces(record: Recorder, { namespaces = [], netlink }: FakeHostOptions): Namespaces {
  const names = new Set(namespaces);
  return {
    async create(wanted) {
      record(`create namespaces ${wanted.join(" ")}`);
      for (const name of wanted) {
        if (names.has(name)) throw new LabError(`the network namespace ${name} exists already`);
        names.add(name);
      }
    },
    async remove(unwanted) {
      record(`remove namespaces ${unwanted.join(" ")}`);
      for (const name of unwanted) names.delete(name);
    },
    list: async () => [...names].toSorted(),
    path: (name) => `/run/netns/${name}`,
    netlink(name) {
      if (netlink === undefined) throw new Error("this fake host was given no netlink");
      record(`netlink ${name ?? "of the machine"}`);
      return netlink(name);
    },
    open(name) {
      record(`open namespace ${name}`);
      return { fd: -1, close: () => undefined };
    },
    within(namespace, work) {
      record(`within ${typeof namespace === "string" ? namespace : "an open namespace"}`);
      return work();
    },
  };
}

function fakeMounts(record: Recorder): Mounts {
  let mounted: { target: string; type: string; source: string }[] = [];
  return {
    mount({ source, target, type, flags = [], data }) {
      const settings = [...flags, ...(data === undefined ? [] : [data])].join(",");
      record(`mount -t ${type} ${settings === "" ? "" : `-o ${settings} `}${source} ${target}`);
      mounted.push({ source, target, type });
    },
    unmount(target, { lazy = false } = {}) {
      record(`unmount ${lazy ? "-l " : ""}${target}`);
      mounted = mounted.filter((mount) => mount.target !== target);
    },
    list: async () => mounted.toSorted((a, b) => a.target.split("/").length - b.target.split("/").length),
  };
}

function fakeControlGroups(record: Recorder, options: FakeHostOptions): ControlGroups {
  const { cgroupVersion: version = 1, pids = {}, cgroupFiles = {} } = options;
  const controllers = ["cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "pids", "blkio"];
  const texts = new Map(Object.entries(cgroupFiles));
  const groups = new Set(Object.keys(pids));
  const isIn = (group: string, parent: string) => group === parent || group.startsWith(`${parent}/`);
  return {
    version,
    directories: (group) =>
      version === 2
        ? [`/sys/fs/cgroup/${group}`]
        : controllers.map((controller) => `/sys/fs/cgroup/${controller}/${group}`),
    async ensure(group) {
      groups.add(group);
      record(`make cgroup ${group}`);
    },
    pids: async (group) => [...groups].filter((one) => isIn(one, group)).flatMap((one) => pids[one] ?? []),
    async children(group) {
      const below = [...groups].filter((one) => one !== group && isIn(one, group));
      return [...new Set(below.flatMap((one) => one.slice(group.length + 1).split("/", 1)))].toSorted();
    },
    read: async (group, _controller, file) => texts.get(`${group}/${file}`) ?? null,
    async write(group, _controller, file, text) {
      groups.add(group);
      texts.set(`${group}/${file}`, text);
      record(`cgroup ${group} ${file} = ${text}`);
    },
    async destroy(group) {
      record(`destroy cgroup ${group}`);
      for (const one of groups) if (isIn(one, group)) groups.delete(one);
    },
  };
}
