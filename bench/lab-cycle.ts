import type { Host } from "../src/host/host.ts";
import { LabError } from "../src/model/error.ts";
import { interleave, type Pair } from "./pairs.ts";

/** A lab that comes and goes. */
export interface Cycle {
  /** From nothing to the state that is compared. */
  up(): Promise<void>;
  /** Back to nothing: returns once all is asked for; what the kernel still has to do is waited for by `timeCycles`. */
  down(): Promise<void>;
  /** Outside of the times: throws when the state after `up` is not what it should be. */
  verify?(): Promise<void>;
}

/** Seconds of both sides, up and down. */
export interface CyclePairs {
  up: Pair[];
  down: Pair[];
}

/** Interleaved readings of both (bench/pairs.ts). A `down` ends when the kernel has removed the last interface, too. */
export async function timeCycles(host: Host, ours: Cycle, theirs: Cycle): Promise<CyclePairs> {
  const down = { ours: [] as number[], theirs: [] as number[] };
  const reading = (cycle: Cycle, downs: number[]) => async () => {
    const up = await seconds(() => cycle.up());
    await cycle.verify?.();
    downs.push(
      await seconds(async () => {
        await cycle.down();
        await untilKernelIsDone(host);
      }),
    );
    return up;
  };
  const up = await interleave(reading(ours, down.ours), reading(theirs, down.theirs));
  // The first of each is the pair that warms up.
  const downs = up.map((_, i): Pair => ({
    ours: down.ours[i + 1] ?? Number.NaN,
    theirs: down.theirs[i + 1] ?? Number.NaN,
  }));
  return { up, down: downs };
}

async function seconds(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

const SETTLE_MS = 60_000;

/**
 * Waits until every network namespace that was let go before is gone with its interfaces. The kernel dismantles them in the
 * background, in order (cleanup_net, a workqueue of one thread), so a namespace that is let go now goes last: its going is seen at
 * the other end of its veth.
 */
async function untilKernelIsDone(host: Host): Promise<void> {
  const [here, last] = [`cloison-bench.here-${process.pid}`, `cloison-bench.last-${process.pid}`];
  await host.namespaces.create([here, last]);
  try {
    const veth = `link add end type veth peer name end netns ${last}\n`;
    await host.processes.must({ argv: ["ip", "-n", here, "-batch", "-"], stdin: veth });
    await host.namespaces.remove([last]);
    const socket = host.namespaces.netlink(here);
    try {
      const deadline = performance.now() + SETTLE_MS;
      while (socket.links().some(({ name }) => name === "end")) {
        if (performance.now() > deadline) throw new Error("the kernel does not come to an end with its namespaces");
        await host.clock.sleep(2);
      }
    } finally {
      socket.close();
    }
  } finally {
    await host.namespaces.remove([here, last]);
  }
}

const PING_DEADLINE_MS = 10_000;

/** Pings from inside a namespace until an answer comes. */
export async function firstPing(host: Host, namespace: string, address: string): Promise<void> {
  const deadline = performance.now() + PING_DEADLINE_MS;
  const ping = (): Promise<{ code: number | null }> =>
    host.processes.run({ argv: ["ping", "-c", "1", "-W", "1", address], namespace });
  while ((await ping()).code !== 0) {
    if (performance.now() > deadline) throw new LabError(`${namespace} gets no answer from ${address}`);
  }
}
