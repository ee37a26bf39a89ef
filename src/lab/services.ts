import type { Running } from "../host/host.ts";
import { LabError } from "../model/error.ts";
import type { DhcpPlan, LabPlan, LanMachine } from "../model/plan.ts";
import { sameData } from "../model/same-data.ts";
import type { LabContext } from "./context.ts";
import { hostCgroup, lanCgroup, lanDirectory } from "./paths.ts";

/** Hard limits of every program that a lab runs outside of its domains. */
const MEMORY_LIMIT_BYTES = 512 * 2 ** 20;
const PIDS_LIMIT = 64;

/** The floor probe measures the way to this server, so nothing on its CPU may run before it. */
const WEB_SERVER_NICE = -15;

/** How long a program of the LAN may take to listen, on a busy machine. */
const START_MS = 10_000;
const START_POLL_MS = 2;

/** Programs that are started; `listening` rejects with a LabError when one comes to nothing. */
interface Started {
  listening: Promise<void>;
}

/** The plan's DHCP servers, by when they can start: those on bridges need no more than these, with their addresses. */
export function dhcpServers({ dhcp, network }: LabPlan): { onBridges: DhcpPlan[]; onOthers: DhcpPlan[] } {
  const isOnBridge = (server: DhcpPlan) =>
    network[server.namespace]?.links.find(({ name }) => name === server.interface)?.kind === "bridge";
  return { onBridges: dhcp.filter(isOnBridge), onOthers: dhcp.filter((server) => !isOnBridge(server)) };
}

/** Whether two plans have the same programs outside of the domains, with the same configuration. */
export function sameServices(before: LabPlan, after: LabPlan): boolean {
  const servicesOf = (plan: LabPlan) => ({
    lab: plan.lab,
    dhcp: plan.dhcp,
    machines: webMachines(plan),
    placement: plan.placement,
  });
  return sameData(servicesOf(before), servicesOf(after));
}

/**
 * Starts the DHCP servers that do not run: the company's, the host's, those in VLANs. Those whose configuration has changed
 * are started anew, programs that the plan no longer has are ended. They need their interfaces with their addresses.
 * @param servers those of the plan that are started; default: all
 */
export async function startDhcpServers(
  context: LabContext,
  plan: LabPlan,
  servers: DhcpPlan[] = plan.dhcp,
): Promise<Started> {
  const { cgroups } = context.host;
  const wanted = new Set([
    ...plan.dhcp.map((server) => dhcpGroup(plan, server)),
    ...webMachines(plan).map((machine) => webGroup(plan, machine)),
  ]);
  const parents = [lanCgroup(plan.lab), hostCgroup(plan.lab)];
  const present = await Promise.all(
    parents.map(async (parent) => (await cgroups.children(parent)).map((group) => `${parent}/${group}`)),
  );
  const unwanted = present.flat().filter((group) => !wanted.has(group));
  const [started] = await Promise.all([
    Promise.all(servers.map((server) => startDhcpServer(context, plan, server))),
    ...unwanted.map((group) => cgroups.destroy(group, START_MS)),
  ]);
  return together(started);
}

/** Whoever waits for all waits for each, and a failure is told when it is waited for. */
function together(started: Started[]): Started {
  const listening = Promise.all(started.map((one) => one.listening)).then(() => undefined);
  listening.catch(() => undefined);
  return { listening };
}

/** Machines of the company with a web server: all that are here but the station. */
const webMachines = ({ machines, network }: LabPlan) =>
  Object.values(machines).filter(({ name, namespace }) => name !== "station" && namespace in network);
const webName = ({ name }: LanMachine) => `${name}-web`;
const webGroup = ({ lab }: LabPlan, machine: LanMachine) => `${lanCgroup(lab)}/${webName(machine)}`;

const isOnHost = (plan: LabPlan, server: DhcpPlan) => server.namespace === plan.hostNamespace;

/** `lan0`, `natbr0`; in the namespace of a VLAN's outside machine, where all have an eth0, `outside-dmz-eth0`. */
function dhcpName(plan: LabPlan, { namespace, interface: name }: DhcpPlan): string {
  const machine = Object.values(plan.machines).find((one) => one.namespace === namespace);
  return machine === undefined ? name : `${machine.name}-${name}`;
}

function dhcpGroup(plan: LabPlan, server: DhcpPlan): string {
  return `${isOnHost(plan, server) ? hostCgroup(plan.lab) : lanCgroup(plan.lab)}/dhcp-${dhcpName(plan, server)}`;
}

/** The lab's programs outside of its domains that do not run, as people call them. */
export async function programsDown({ host }: LabContext, plan: LabPlan): Promise<string[]> {
  const programs = [
    ...plan.dhcp.map((server) => ({
      name: `the DHCP server on ${server.interface} of ${server.namespace}`,
      group: dhcpGroup(plan, server),
    })),
    ...webMachines(plan).map((machine) => ({
      name: `the web server of ${machine.namespace}`,
      group: webGroup(plan, machine),
    })),
  ];
  const down = await Promise.all(programs.map(async ({ group }) => (await host.cgroups.pids(group)).length === 0));
  return programs.flatMap(({ name }, i) => (down[i] === true ? [name] : []));
}

/**
 * Whether a program must be started: it does not run, or not with this configuration; then it is ended. The caller starts
 * it, and writes the file only when it listens. That need not be synced: what a power cut would tear, it ends as well.
 */
async function mustStart({ host }: LabContext, cgroup: string, file: string, text: string): Promise<boolean> {
  if ((await host.cgroups.pids(cgroup)).length > 0) {
    if ((await host.files.readTextIfExists(file)) === text) return false;
    await host.cgroups.destroy(cgroup, START_MS);
  }
  await host.files.remove(file);
  return true;
}

async function startDhcpServer(context: LabContext, plan: LabPlan, server: DhcpPlan): Promise<Started> {
  const { host } = context;
  const directory = lanDirectory(context.paths, plan.lab);
  const cgroup = dhcpGroup(plan, server);
  const base = `${directory}/${dhcpName(plan, server)}`;
  const text = dnsmasqConfiguration(server, base);
  const running = `${base}.running.conf`;
  if (!(await mustStart(context, cgroup, running, text))) return { listening: Promise.resolve() };
  const file = `${base}.conf`;
  const log = `${base}.log`;
  const pidFile = `${base}.pid`;
  await host.files.writeText(file, text);
  await host.files.remove(pidFile);
  await limitLanProgram(context, cgroup);
  const dnsmasq = await host.processes.start(
    {
      argv: ["dnsmasq", "--keep-in-foreground", `--conf-file=${file}`],
      namespace: server.namespace,
      cgroup,
      cpus: isOnHost(plan, server) ? plan.placement.platform : plan.placement.station,
      output: { file: log },
    },
    { detached: true },
  );
  const listening = untilItServes(context, plan, dnsmasq, { pidFile, log });
  return { listening: listening.then(() => host.files.writeText(running, text)) };
}

async function untilItServes(
  { host }: LabContext,
  plan: LabPlan,
  dnsmasq: Running,
  { pidFile, log }: { pidFile: string; log: string },
): Promise<void> {
  let ended = false;
  void dnsmasq.exited.then(() => (ended = true));
  const deadline = host.clock.monotonicMs() + START_MS;
  // Its pid file comes once it listens.
  while (!(await host.files.exists(pidFile))) {
    if (ended || host.clock.monotonicMs() > deadline) {
      const said = (await host.files.readTextIfExists(log))?.trim().split("\n").at(-1);
      throw new LabError(`the DHCP server of lab ${plan.lab} does not start: ${said || "it says nothing"}`);
    }
    await host.clock.sleep(START_POLL_MS);
  }
}

/**
 * Starts the web servers of the outside machines that do not run. They need their namespaces, but no network yet, and so can
 * come up while that is made. Resolves once they are started; `listening` rejects with a LabError when one comes to nothing.
 */
export async function startOutsideWeb(context: LabContext, plan: LabPlan): Promise<Started> {
  return together(await Promise.all(webMachines(plan).map((machine) => startWeb(context, plan, machine))));
}

async function startWeb(context: LabContext, plan: LabPlan, machine: LanMachine): Promise<Started> {
  const { host } = context;
  const base = `${lanDirectory(context.paths, plan.lab)}/${webName(machine)}`;
  const cgroup = webGroup(plan, machine);
  const options = {
    namespace: machine.namespace,
    cgroup,
    cpus: plan.placement.probe,
    nice: WEB_SERVER_NICE,
    address: EVERY_ADDRESS,
    port: 80,
    text: `${machine.name} machine of lab ${plan.lab}\n`,
    logFile: `${base}.log`,
  };
  const running = `${base}.running.json`;
  const text = JSON.stringify(options);
  if (!(await mustStart(context, cgroup, running, text))) return { listening: Promise.resolve() };
  await limitLanProgram(context, cgroup);
  const { listening } = await context.startWebServer(host, options);
  return { listening: listening.then(() => host.files.writeText(running, text)) };
}

/** The machine's address comes later, and may change. */
const EVERY_ADDRESS = "0.0.0.0";

/**
 * dnsmasq as a DHCP server: every lease is fixed by the plan, nobody unknown gets one. DNS, where there is some, knows the
 * lab's names and asks nobody else.
 * @param base path of its files, without their endings
 */
export function dnsmasqConfiguration(server: DhcpPlan, base: string): string {
  const { dns } = server;
  return `${[
    // On the loopback, servers for other networks would be in its way.
    ...(dns === null ? ["port=0"] : ["except-interface=lo", "local=//", "domain-needed"]),
    `interface=${server.interface}`,
    "bind-interfaces",
    "no-resolv",
    "no-hosts",
    "no-ping",
    "user=root",
    "dhcp-authoritative",
    `pid-file=${base}.pid`,
    `dhcp-leasefile=${base}.leases`,
    `dhcp-range=${server.server},static,${netmask(server.prefix)},12h`,
    // Without a value it is not sent.
    `dhcp-option=option:router${server.router === null ? "" : `,${server.router}`}`,
    ...(dns === null ? [] : [`dhcp-option=option:dns-server,${server.server}`]),
    ...server.leases.map(({ mac, address, hostname }) => `dhcp-host=${mac},${address},${hostname}`),
    ...(dns ?? []).map(({ name, address }) => `host-record=${name},${address}`),
  ].join("\n")}\n`;
}

function netmask(prefix: number): string {
  const bits = prefix === 0 ? 0 : (0xffffffff << (32 - prefix)) >>> 0;
  return [24, 16, 8, 0].map((shift) => (bits >>> shift) & 255).join(".");
}

/** Makes a control group on the LAN's side, with hard limits. */
export async function limitLanProgram(
  context: LabContext,
  cgroup: string,
  memoryBytes = MEMORY_LIMIT_BYTES,
): Promise<void> {
  const { cgroups } = context.host;
  const [memory, pids] =
    cgroups.version === 2 ? (["memory.max", "pids.max"] as const) : (["memory.limit_in_bytes", "pids.max"] as const);
  await cgroups.write(cgroup, "memory", memory, `${memoryBytes}`);
  await cgroups.write(cgroup, "pids", pids, `${PIDS_LIMIT}`);
}
