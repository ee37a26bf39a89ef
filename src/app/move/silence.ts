import type { Host } from "../../host/host.ts";
import { isWithin } from "../../model/ip-range.ts";
import type { DomainPlan, LabPlan } from "../../model/plan.ts";

const INTERVAL_S = 0.01;

/** How long a domain did not answer. */
export interface Silence {
  longestMs: number;
  /** Pings, one every 10 ms, between the first answer and the last; null: not pings, but its programs' standstill was measured. */
  unanswered: number | null;
}

/** Watches a domain until it is stopped. */
export interface SilenceProbe {
  /** Its programs stand still from now on. */
  still(): void;
  stop(): Promise<void>;
  /** null: it never answered. */
  heard(): Silence | null;
}

/**
 * Asks a domain a hundred times a second, from the lab's station, whether it is there.
 * @returns null: the station is on none of its networks
 */
export async function startProbe(
  host: Host,
  { machines }: LabPlan,
  { vifs }: DomainPlan,
): Promise<SilenceProbe | null> {
  const { station } = machines;
  const vif = vifs.find(({ address, prefix }) => isWithin(station.address, `${address}/${prefix}`));
  if (vif === undefined) return null;
  let text = "";
  const ping = await host.processes.start({
    // -O: says so when nothing has come before the next is asked.
    argv: ["ping", "-n", "-D", "-O", "-i", `${INTERVAL_S}`, vif.address],
    namespace: station.namespace,
    output: { stdout: (chunk) => (text += Buffer.from(chunk).toString("latin1")) },
  });
  return {
    still: () => undefined,
    async stop() {
      ping.kill("SIGINT");
      await ping.exited;
    },
    heard: () => longestSilence(text),
  };
}

/** Of a container: its kernel is the host's, which answers pings for programs that stand still, and takes connections. */
export function startStopwatch({ clock }: Host): SilenceProbe {
  let stillMs: number | null = null;
  let longestMs = 0;
  return {
    still: () => (stillMs = clock.monotonicMs()),
    async stop() {
      longestMs = Math.round(clock.monotonicMs() - (stillMs ?? clock.monotonicMs()));
    },
    heard: () => ({ longestMs, unanswered: null }),
  };
}

/** Reads what ping says. */
export function longestSilence(text: string): Silence | null {
  const answers = [...text.matchAll(/^\[(\d+\.\d+)\] \d+ bytes from .* icmp_seq=(\d+) /gm)].map(
    ([, time, sequence]) => ({
      ms: Number(time) * 1000,
      sequence: Number(sequence),
    }),
  );
  const [first] = answers;
  const last = answers.at(-1);
  if (first === undefined || last === undefined) return null;
  const silences = answers.slice(1).map(({ ms }, i) => ms - (answers[i]?.ms ?? ms));
  return {
    longestMs: Math.round(Math.max(0, ...silences)),
    unanswered: last.sequence - first.sequence + 1 - answers.length,
  };
}
