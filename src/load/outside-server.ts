import type { Host, Running } from "../host/host.ts";
import { LabError } from "../model/error.ts";
import type { LabPlan } from "../model/plan.ts";

const MEMORY_BYTES = 256 * 2 ** 20;
const PIDS = 64;
const START_DEADLINE_MS = 5000;
/** Until the client has told the server that it is over, and the server has gone. */
const END_DEADLINE_MS = 2000;

/** Ports of servers that run at once differ. */
const FIRST_PORT = 5201;
const PORTS = 1000;
let servers = 0;

export interface OutsideServer {
  address: string;
  port: number;
  /** Idempotent. */
  close(): Promise<void>;
}

/**
 * The outside machine's end of the network stressors: an iperf3 server for one client, in that machine's namespace, on the
 * station's CPUs, with hard limits and a deadline of its own.
 */
export async function startOutsideServer(
  host: Host,
  plan: LabPlan,
  cgroup: string,
  deadlineMs: number,
): Promise<OutsideServer> {
  const { address, namespace } = plan.machines.outside;
  const port = FIRST_PORT + (servers++ % PORTS);
  const group = `${cgroup}/outside/iperf3-${port}`;
  await limit(host, group);
  const deadline = `${(deadlineMs / 1000).toFixed(3)}s`;
  const running = await host.processes.start({
    argv: ["timeout", "-k", "1s", deadline, "iperf3", "-s", "-1", "-B", address, "-p", String(port)],
    namespace,
    cgroup: group,
    cpus: plan.placement.station,
  });
  const close = async () => {
    await Promise.race([running.exited, host.clock.sleep(END_DEADLINE_MS)]);
    await host.cgroups.destroy(group, START_DEADLINE_MS);
  };
  try {
    await untilItListens(host, running, namespace, port);
  } catch (error) {
    running.kill("SIGKILL");
    await close();
    throw error;
  }
  return { address, port, close };
}

async function limit(host: Host, group: string): Promise<void> {
  const memory = host.cgroups.version === 1 ? "memory.limit_in_bytes" : "memory.max";
  await host.cgroups.write(group, "memory", memory, String(MEMORY_BYTES));
  await host.cgroups.write(group, "pids", "pids.max", String(PIDS));
}

async function untilItListens(host: Host, running: Running, namespace: string, port: number): Promise<void> {
  let ended = false;
  const end = running.exited.then((finished) => {
    ended = true;
    return finished;
  });
  const untilMs = host.clock.monotonicMs() + START_DEADLINE_MS;
  for (;;) {
    const listening = await host.processes.must({ argv: ["ss", "-Hltn", `sport = :${port}`], namespace });
    if (listening.trim() !== "") return;
    if (ended) {
      const { stdout, stderr } = await end;
      throw new LabError(`the outside machine's iperf3 did not start: ${(stderr + stdout).trim()}`, {
        hint: "apt-get install iperf3",
      });
    }
    if (host.clock.monotonicMs() > untilMs)
      throw new LabError(`the outside machine's iperf3 does not listen on port ${port}`);
    await host.clock.sleep(20);
  }
}
