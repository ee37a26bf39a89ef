import type { Host } from "../src/host/host.ts";
import { LabError } from "../src/model/error.ts";
import { inTurn, warmPairs, type Pair } from "./pairs.ts";

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
  const [pairs] = await timeCyclesBeside(host, [ours], theirs);
  if (pairs === undefined) throw new Error("unreachable: one cycle, one answer");
  return pairs;
}

/** The same for several of ours, one after the other, beside the same readings of theirs, for one that takes long. */
export async function timeCyclesBeside(host: Host, ours: readonly Cycle[], theirs: Cycle): Promise<CyclePairs[]> {
  const cycles = ours.map((cycle) => ({ cycle, up: [] as number[], down: [] as number[] }));
  const other = { cycle: theirs, up: [] as number[], down: [] as number[] };
  const take = async ({ cycle, up, down }: typeof other) => {
    up.push(await seconds(() => cycle.up()));
    await cycle.verify?.();
    down.push(
      await seconds(async () => {
        await cycle.down();
        await untilKernelIsDone(host);
      }),
    );
  };
  await inTurn(
    async () => {
      for (const one of cycles) await take(one);
    },
    () => take(other),
  );
  return cycles.map(({ up, down }) => ({ up: warmPairs(up, other.up), down: warmPairs(down, other.down) }));
}

export async function seconds(work: () => Promise<unknown>): Promise<number> {
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
export async function untilKernelIsDone(host: Host): Promise<void> {
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
