import type { Command, Host } from "../host/host.ts";
import type { NamespaceName } from "../model/plan.ts";
import { controlSocket, databaseSocket, type SwitchInstance } from "./instance.ts";
import { changeDatabase, runSwitchProgram } from "./programs.ts";

/** Of both programs together; 25 MiB are in use with ten ports. */
const MEMORY_LIMIT_BYTES = 512 * 2 ** 20;
/** Threads count. */
const PIDS_LIMIT = 64;

const STOP_MS = 10_000;

/**
 * One thread each, else ovs-vswitchd starts as many as the machine has CPUs; packets are forwarded by its main thread.
 * userspace-tso-enable: checksums and segmentation that senders leave to their card are carried through; without it every
 * guest would need `ethtool -K eth0 tx off`, or its TCP stalls (docs/decisions/049).
 */
const SETTINGS = [
  "other_config:n-handler-threads=1",
  "other_config:n-revalidator-threads=1",
  "other_config:userspace-tso-enable=true",
];

/** The local port of the userspace datapath itself. It is down and carries nothing. */
const DATAPATH_PORT = "ovs-netdev";

const PROGRAMS = ["ovsdb-server", "ovs-vswitchd"] as const;
type Program = (typeof PROGRAMS)[number];

/** Whether both programs of the instance run. */
export async function switchesRun(host: Host, instance: SwitchInstance): Promise<boolean> {
  const running = await host.cgroups.pids(instance.cgroup);
  if (running.length < PROGRAMS.length) return false;
  const pids = await Promise.all(PROGRAMS.map((program) => host.files.readTextIfExists(pidFile(instance, program))));
  // Nobody else's processes are in the group, so a pid in it cannot be another's by now.
  return pids.every((text) => text !== null && running.includes(Number(text)));
}

/**
 * Starts the instance, if it does not run. It begins with no switches: the database is a fresh one, also when one of the two
 * programs was killed, since the flows would be lost in any case. It outlives this process.
 * @throws LabError
 */
export async function startSwitches(host: Host, instance: SwitchInstance): Promise<void> {
  if (await switchesRun(host, instance)) return;
  await stopSwitches(host, instance);
  await host.files.makeDirectory(instance.directory);
  await setLimits(host, instance);
  const database = `${instance.directory}/conf.db`;
  await runSwitchProgram(host, instance, { argv: ["ovsdb-tool", "-vsyslog:off", "create", database] });
  await startDaemon(host, instance, "ovsdb-server", [database, `--remote=punix:${databaseSocket(instance)}`]);
  await changeDatabase(host, instance, ["--no-wait", "init", "--", "set", "Open_vSwitch", ".", ...SETTINGS]);
  await startDaemon(host, instance, "ovs-vswitchd", [`unix:${databaseSocket(instance)}`]);
}

/** Ends the instance and removes all of it. Idempotent, from any state. */
export async function stopSwitches(host: Host, { namespace, cgroup, directory }: SwitchInstance): Promise<void> {
  await host.cgroups.destroy(cgroup, STOP_MS);
  if ((await host.namespaces.list()).includes(namespace)) {
    removeLocalPorts(host, namespace, await host.files.list(directory));
  }
  await host.files.remove(directory);
}

/**
 * Local ports are taps that stay when ovs-vswitchd is killed: one for each switch, and one of the datapath.
 * @param files of the instance: each switch has a socket of its name
 */
function removeLocalPorts(host: Host, namespace: NamespaceName, files: string[]): void {
  const switches = files.flatMap((file) => /^(.+)\.mgmt$/.exec(file)?.[1] ?? []);
  if (switches.length === 0) return;
  const names = [DATAPATH_PORT, ...switches];
  const socket = host.namespaces.netlink(namespace);
  try {
    const taps = socket.links().filter(({ name, kind }) => kind === "tun" && names.includes(name));
    socket.perform(taps.map(({ index, name }) => ({ do: "delete-link", link: { index, name } })));
  } finally {
    socket.close();
  }
}

/** Returns when it listens: with `--detach` the program that was started ends then, and its child goes on. */
async function startDaemon(host: Host, instance: SwitchInstance, program: Program, args: string[]): Promise<void> {
  const { directory, namespace, cgroup, cpus } = instance;
  const control = program === "ovs-vswitchd" ? controlSocket(instance) : `${directory}/${program}.ctl`;
  const argv: Command["argv"] = [
    program,
    ...args,
    "--detach",
    `--pidfile=${pidFile(instance, program)}`,
    `--unixctl=${control}`,
    `--log-file=${directory}/${program}.log`,
    "-vconsole:off",
    "-vsyslog:off",
  ];
  await runSwitchProgram(host, instance, { argv, namespace, cgroup, cpus });
}

const pidFile = ({ directory }: SwitchInstance, program: Program) => `${directory}/${program}.pid`;

async function setLimits({ cgroups }: Host, { cgroup }: SwitchInstance): Promise<void> {
  const memory = cgroups.version === 2 ? "memory.max" : "memory.limit_in_bytes";
  await cgroups.write(cgroup, "memory", memory, `${MEMORY_LIMIT_BYTES}`);
  await cgroups.write(cgroup, "pids", "pids.max", `${PIDS_LIMIT}`);
}
