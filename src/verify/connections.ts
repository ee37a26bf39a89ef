import type { NamespaceName } from "../model/plan.ts";
import type { Probe } from "./probe.ts";
import type { Sighting } from "./sighting.ts";

/**
 * Gives the segments of connections to the probes that began them. A segment carries no mark: its connection is told by the number
 * that it began with, and that by the first segment's ports and addresses, where it began.
 */
export class Connections {
  /** Namespace, local port, address and port asked for. */
  readonly #byFlow = new Map<string, Probe>();
  readonly #bySequence = new Map<number, Probe>();
  /** Of connections that are not known yet: another namespace's socket was read first, or the port is told later. */
  readonly #strays = new Map<number, Sighting[]>();

  /** A probe's connection begins, or has begun, from this port of the probe's namespace. */
  begin(probe: Probe, localPort: number): void {
    const { address, how } = probe.question;
    // The kernel gives one local port to connections to several ports of an address.
    const port = "port" in how ? how.port : 0;
    const flow = `${probe.from.namespace}|${localPort}|${address}|${port}`;
    this.#byFlow.set(flow, probe);
    for (const [sequence, sightings] of this.#strays) {
      if (flowsOf(sightings).includes(flow)) this.#adopt(sequence, probe);
    }
  }

  /** A segment that was seen somewhere, of the connection that began with this number. Those of one namespace come in the order of time. */
  deliver(sighting: Sighting, initialSequence: number): void {
    const known = this.#bySequence.get(initialSequence);
    if (known !== undefined) {
      known.sightings.push(sighting);
      return;
    }
    const strays = [...(this.#strays.get(initialSequence) ?? []), sighting];
    this.#strays.set(initialSequence, strays);
    const begun = flowsOf(strays).flatMap((flow) => this.#byFlow.get(flow) ?? [])[0];
    if (begun !== undefined) this.#adopt(initialSequence, begun);
  }

  #adopt(initialSequence: number, probe: Probe): void {
    this.#bySequence.set(initialSequence, probe);
    probe.sightings.push(...(this.#strays.get(initialSequence) ?? []));
    this.#strays.delete(initialSequence);
  }
}

/**
 * Flows of a connection's segment, wherever it may have begun: where it came in before it went out it is forwarded, and a
 * connection of that namespace's own may have the same port.
 */
function flowsOf(sightings: readonly Sighting[]): string[] {
  const firsts = new Map<NamespaceName, Sighting>();
  for (const sighting of sightings) if (!firsts.has(sighting.namespace)) firsts.set(sighting.namespace, sighting);
  return [...firsts.values()].flatMap(({ what, namespace, direction }) =>
    what.by === "tcp" && what.part === "request" && direction === "out"
      ? [`${namespace}|${what.sourcePort}|${what.destination}|${what.destinationPort}`]
      : [],
  );
}
