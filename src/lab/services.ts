import type { Running } from "../host/host.ts";
import { LabError } from "../model/error.ts";
import type { DhcpPlan, LabPlan } from "../model/plan.ts";
import type { LabContext } from "./context.ts";
import { lanCgroup, lanDirectory } from "./paths.ts";

/** Hard limits of every program that runs on the LAN's side. */
const MEMORY_LIMIT_BYTES = 512 * 2 ** 20;
const PIDS_LIMIT = 64;

/** The floor probe measures the way to this server, so nothing on its CPU may run before it. */
const WEB_SERVER_NICE = -15;

/** How long a program of the LAN may take to listen, on a busy machine. */
const START_MS = 10_000;
const START_POLL_MS = 10;

/** Programs that are started; `listening` rejects with a LabError when one comes to nothing. */
interface Started {
  listening: Promise<void>;
}

/**
 * Starts the DHCP servers of the company LAN that do not run. Those whose configuration has changed are started anew,
 * programs that the plan no longer has are ended. They need the LAN's switches with their addresses, and no more.
 */
export async function startDhcpServers(context: LabContext, plan: LabPlan): Promise<Started> {
  const { cgroups } = context.host;
  const wanted = new Set([...plan.dhcp.map(dhcpGroup), OUTSIDE_WEB]);
  const unwanted = (await cgroups.children(lanCgroup(plan.lab))).filter((group) => !wanted.has(group));
  const [servers] = await Promise.all([
    Promise.all(plan.dhcp.map((server) => startDhcpServer(context, plan, server))),
    ...unwanted.map((group) => cgroups.destroy(`${lanCgroup(plan.lab)}/${group}`, START_MS)),
  ]);
  return together(servers);
}

/** Whoever waits for all waits for each, and a failure is told when it is waited for. */
function together(started: Started[]): Started {
  const listening = Promise.all(started.map((one) => one.listening)).then(() => undefined);
  listening.catch(() => undefined);
  return { listening };
}

const OUTSIDE_WEB = "outside-web";
const dhcpGroup = (server: DhcpPlan) => `dhcp-${server.interface}`;

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
  const cgroup = `${lanCgroup(plan.lab)}/${dhcpGroup(server)}`;
  const text = dnsmasqConfiguration(server, directory);
  const running = `${directory}/${server.interface}.running.conf`;
  if (!(await mustStart(context, cgroup, running, text))) return { listening: Promise.resolve() };
  const file = `${directory}/${server.interface}.conf`;
  const log = `${directory}/${server.interface}.log`;
  const pidFile = pidFileOf(server, directory);
  await host.files.writeText(file, text);
  await host.files.remove(pidFile);
  await limitLanProgram(context, cgroup);
  const dnsmasq = await host.processes.start(
    {
      argv: ["dnsmasq", "--keep-in-foreground", `--conf-file=${file}`],
      namespace: plan.lanNamespace,
      cgroup,
      cpus: plan.placement.station,
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

const pidFileOf = (server: DhcpPlan, directory: string) => `${directory}/${server.interface}.pid`;

/**
 * Starts the outside machine's web server, if it does not run. It needs its namespace, but no network yet, and so can
 * come up while that is made. Resolves once it is started; `listening` rejects with a LabError when it comes to nothing.
 */
export async function startOutsideWeb(context: LabContext, plan: LabPlan): Promise<Started> {
  const { host } = context;
  const directory = lanDirectory(context.paths, plan.lab);
  const cgroup = `${lanCgroup(plan.lab)}/${OUTSIDE_WEB}`;
  const options = {
    namespace: plan.machines.outside.namespace,
    cgroup,
    cpus: plan.placement.probe,
    nice: WEB_SERVER_NICE,
    address: EVERY_ADDRESS,
    port: 80,
    text: `outside machine of lab ${plan.lab}\n`,
    logFile: `${directory}/${OUTSIDE_WEB}.log`,
  };
  const running = `${directory}/${OUTSIDE_WEB}.running.json`;
  const text = JSON.stringify(options);
  if (!(await mustStart(context, cgroup, running, text))) return { listening: Promise.resolve() };
  await limitLanProgram(context, cgroup);
  const { listening } = await context.startWebServer(host, options);
  return together([{ listening: listening.then(() => host.files.writeText(running, text)) }]);
}

/** The machine's address comes later, and may change. */
const EVERY_ADDRESS = "0.0.0.0";

/** dnsmasq as the company's DHCP server: every lease is fixed by the plan, nobody unknown gets one. DNS is off. */
export function dnsmasqConfiguration(server: DhcpPlan, directory: string): string {
  return `${[
    "port=0",
    `interface=${server.interface}`,
    "bind-interfaces",
    "no-resolv",
    "no-hosts",
    "no-ping",
    "user=root",
    "dhcp-authoritative",
    `pid-file=${pidFileOf(server, directory)}`,
    `dhcp-leasefile=${directory}/${server.interface}.leases`,
    `dhcp-range=${server.server},static,${netmask(server.prefix)},12h`,
    `dhcp-option=option:router,${server.server}`,
    ...server.leases.map(({ mac, address, hostname }) => `dhcp-host=${mac},${address},${hostname}`),
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
