import { randomBytes, randomInt } from "node:crypto";
import type { Host } from "../host/host.ts";
import { awaitFrameTimes } from "../host/frame-times.ts";
import { pollNow } from "../host/poll.ts";
import { LabError } from "../model/error.ts";
import type { Observation } from "../model/observation.ts";
import type { NetworkState } from "../model/network-state.ts";
import type { NamespaceName } from "../model/plan.ts";
import type { Endpoint, Question } from "../model/reachability.ts";
import type { ForeignKernel } from "../host/foreign-kernel.ts";
import { Asker } from "./asker.ts";
import { batchesOf } from "./batches.ts";
import { GuestAsker } from "./guest-asker.ts";
import { guestWires } from "./guest-wires.ts";
import { LearnedNeighbours } from "./learned-neighbours.ts";
import { LocalFacts } from "./local-facts.ts";
import { Lookout } from "./lookout.ts";
import { observationOf } from "./observation-of.ts";
import type { Probe, Told } from "./probe.ts";

interface ObserveOptions {
  signal?: AbortSignal;
  onProgress?(done: number, of: number): void;
  /** Questions that wait at the same time; default 2000. */
  parallel?: number;
  /** The plan's, where there are guests with kernels of their own. */
  network?: NetworkState;
  /** Of those of them that ask. */
  kernels?: ReadonlyMap<NamespaceName, ForeignKernel>;
}

/** How long each try waits for an answer before the next, or before silence is the answer. */
const WAITS_MS = [300, 700, 1500];
/** So much longer where there are guests: one that is emulated, beside others, answers late and tells later what came. */
const GUEST_WAIT_MS = 1000;
/** Requests sent in one go; a kernel's queue between two namespaces holds 1000 frames, and a broadcast is one for each port. */
const SENT_AT_ONCE = 20;
const TICK_MS = 1;
/** After the last answer: for other machines that answer for the same address, and for captures under way. */
const LINGER_MS = 120;
const POLLIN = 1;

/**
 * Asks the questions for real in a running lab, and tells for each, in their order, what came of it. Packets are few:
 * one for a question, three when nothing answers. What the kernel learns of neighbours is taken out again. Throws
 * LabError, and the signal's reason when it ends it.
 */
export async function observeAnswers(
  host: Host,
  endpoints: readonly Endpoint[],
  namespaces: readonly NamespaceName[],
  questions: readonly Question[],
  options: ObserveOptions = {},
): Promise<Observation[]> {
  options.signal?.throwIfAborted();
  const run = randomBytes(8);
  const network = options.network ?? {};
  const own = namespaces.filter((namespace) => network[namespace]?.guest !== true);
  const facts = new LocalFacts(host, endpoints, network);
  const neighbours = new LearnedNeighbours(host, own);
  const batches = batchesOf(questions, { neighbours: await neighbours.room(), parallel: options.parallel ?? 2000 });
  const observations: Observation[] = [];
  const lookout = new Lookout(host, own, run, guestWires(network));
  const identifier = randomInt(65_536);
  const asker = new Asker({ host, run, identifier }, lookout, facts);
  const guests = new Map(
    endpoints.flatMap((endpoint, i) => {
      const kernel = options.kernels?.get(endpoint.namespace);
      if (kernel === undefined) return [];
      // Apart from those of namespaces, which are fewer than this.
      const own = { host, run, identifier: (identifier + 32_768 + i) % 65_536 };
      return [[endpoint.namespace, new GuestAsker(own, endpoint, kernel, lookout)] as const];
    }),
  );
  const slackMs = Object.values(network).some(({ guest }) => guest === true) ? GUEST_WAIT_MS : 0;
  let done = 0;
  try {
    await awaitFrameTimes(host.clock, options.signal);
    for (const batch of batches) {
      const probes = batch.map((place) => probeFor(questions[place] as Question, place, endpoints));
      const answered = () => options.onProgress?.(++done, questions.length);
      try {
        await askAll(host, probes, { asker, guests, slackMs, lookout, answered, signal: options.signal });
        for (const probe of probes.filter(({ from }) => guests.has(from.namespace))) believeOnlyWhatPassed(probe);
        for (const probe of probes) observations[probe.index] = observationOf(probe, facts);
      } finally {
        neighbours.forget();
      }
    }
    return observations;
  } finally {
    asker.close();
    lookout.close();
  }
}

function probeFor(question: Question, index: number, endpoints: readonly Endpoint[]): Probe {
  const from = endpoints.find(({ name }) => name === question.from);
  if (from === undefined) throw new LabError(`nothing in the lab is called ${question.from}`);
  return {
    question,
    index,
    from,
    version: question.address.includes(":") ? 6 : 4,
    tries: 0,
    dueMs: 0,
    told: null,
    done: false,
    sightings: [],
    asker: null,
  };
}

interface Round {
  asker: Asker;
  guests: ReadonlyMap<NamespaceName, GuestAsker>;
  slackMs: number;
  lookout: Lookout;
  answered(): void;
  signal: AbortSignal | undefined;
}

/** Until every probe has its answer or has waited for all its tries. */
async function askAll(
  host: Host,
  probes: readonly Probe[],
  { asker, guests, slackMs, lookout, answered, signal }: Round,
): Promise<void> {
  const byIndex = new Map(probes.map((probe) => [probe.index, probe]));
  const probeOf = (index: number) => byIndex.get(index);
  const tell = (probe: Probe, told: Told | null): void => {
    if (probe.done) return;
    probe.told = told;
    probe.done = true;
    answered();
  };
  asker.prepare(probes.filter(({ from }) => !guests.has(from.namespace)));
  await Promise.all(
    [...guests].map(([namespace, guest]) => guest.prepare(probes.filter(({ from }) => from.namespace === namespace))),
  );
  lookout.expect(probes);
  let endMs = Number.POSITIVE_INFINITY;
  for (;;) {
    signal?.throwIfAborted();
    const nowMs = host.clock.monotonicMs();
    const due = probes.filter((probe) => !probe.done && probe.dueMs <= nowMs);
    for (const probe of due.filter(({ tries }) => tries === WAITS_MS.length)) tell(probe, null);
    for (const probe of due.filter(({ done }) => !done).slice(0, SENT_AT_ONCE)) {
      const waitMs = (WAITS_MS[probe.tries] ?? 0) + slackMs;
      const guest = guests.get(probe.from.namespace);
      const told = guest === undefined ? asker.send(probe) : guest.send(probe, waitMs);
      if (guest === undefined) probe.dueMs = host.clock.monotonicMs() + waitMs;
      probe.tries++;
      if (told !== null) tell(probe, told);
    }
    readAll(asker, lookout, probeOf, tell);
    for (const guest of guests.values()) guest.step(probeOf, tell);
    for (const probe of probes) {
      if (!probe.done && probe.asker !== null && isAnswered(probe)) tell(probe, { kind: "answered" });
    }
    asker.hangUp();
    if (endMs === Number.POSITIVE_INFINITY && probes.every((probe) => probe.done)) endMs = nowMs + LINGER_MS;
    if (nowMs >= endMs) break;
    await host.clock.sleep(TICK_MS, signal);
  }
  const lost = lookout.lost();
  if (lost > 0) {
    throw new LabError(
      `${lost} frames came faster than they could be looked at, so that answers may have been missed`,
      {
        hint: "try again when the lab is quiet",
      },
    );
  }
}

function readAll(
  asker: Asker,
  lookout: Lookout,
  probeOf: (index: number) => Probe | undefined,
  tell: (probe: Probe, told: Told) => void,
): void {
  const posts = lookout.sockets;
  const ready = pollNow([...posts.map(({ fd }) => ({ fd, mask: POLLIN })), ...asker.sockets]);
  if (ready.size === 0) return;
  for (const { fd, namespace } of posts) if (ready.has(fd)) lookout.read(namespace);
  asker.read(ready, probeOf, tell);
}

/** A guest says what it likes: what it was told counts when an answer, or an error, has passed its tap. */
function believeOnlyWhatPassed(probe: Probe): void {
  const { told, sightings, from } = probe;
  if (told === null || told.kind === "send-error") return;
  const hasPassed = sightings.some(
    ({ what, namespace, direction }) => what.part !== "request" && direction === "in" && namespace === from.namespace,
  );
  if (!hasPassed) probe.told = null;
}

/** `arp`: an answer came in through the interface that asked. */
function isAnswered({ sightings, from, asker }: Probe): boolean {
  return sightings.some(
    ({ what, namespace, interface: link, direction }) =>
      what.part === "reply" && direction === "in" && namespace === from.namespace && link === asker?.name,
  );
}
