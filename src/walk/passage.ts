import type { Step, Stop, StopCause } from "../model/reachability.ts";
import type { CompiledLink, CompiledNamespace, CompiledNetwork } from "./compiled-network.ts";
import { Connections } from "./connection.ts";
import type { Ip } from "./ip-address.ts";
import type { ArpPacket, Frame, IpPacket } from "./packet.ts";

/** What becomes of a packet. */
export type Fate =
  /** It reached the machine that has its destination. */
  | { kind: "delivered"; namespace: CompiledNamespace; packet: IpPacket }
  /** The question for a MAC has its answer. */
  | { kind: "answered" }
  | { kind: "unknown"; unknown: string }
  | { kind: "stopped"; stop: Stop }
  /** Nobody took it, and nothing in particular stopped it. */
  | { kind: "untaken" };

export const UNTAKEN: Fate = { kind: "untaken" };

/** Of what became of the copies of a flooded frame, what counts. */
export function better(a: Fate, b: Fate): Fate {
  return RANK[b.kind] > RANK[a.kind] ? b : a;
}

const RANK: Record<Fate["kind"], number> = { delivered: 4, answered: 4, unknown: 3, stopped: 2, untaken: 1 };

/** The layers call each other through this, because each leads to every other one. */
export interface Layers {
  /** A link's transmit function: the frame leaves by it. */
  sendFrame: (passage: Passage, link: CompiledLink, frame: Frame) => Fate;
  /** A frame came in by a link. */
  takeFrame: (passage: Passage, link: CompiledLink, frame: Frame) => Fate;
  takeIp: (passage: Passage, link: CompiledLink, frame: Frame, packet: IpPacket) => Fate;
  takeArp: (passage: Passage, link: CompiledLink, frame: Frame, packet: ArpPacket) => Fate;
}

export type Tell = (namespace: CompiledNamespace, does: string, object: string | null, text: string) => void;

/** One question's way through the network: what is remembered between its packets. */
export class Passage {
  readonly network: CompiledNetwork;
  readonly layers: Layers;
  readonly steps: Step[] = [];
  /** Writes a step; null: nobody reads them, so none is put into words. */
  readonly tell: Tell | null;
  /** The answer is on its way. */
  onReply = false;
  /** Routers passed by the request. */
  hops: string[] = [];
  /** Times that a packet was forwarded, against loops of routers. */
  forwards = 0;
  /** The question is for a MAC: the reply to ARP is its answer. */
  asksForMac = false;
  /** Neighbour entries made on the way: `link address` → MAC. */
  readonly learned = new Map<string, string>();
  readonly #connections = new Map<CompiledNamespace, Connections>();

  constructor(network: CompiledNetwork, layers: Layers, trace: boolean) {
    this.network = network;
    this.layers = layers;
    this.tell = trace
      ? ({ name }, does, object, text) => {
          this.steps.push({ namespace: name, does, object, text, onReply: this.onReply });
        }
      : null;
  }

  connectionsOf(namespace: CompiledNamespace): Connections {
    let found = this.#connections.get(namespace);
    if (found === undefined) this.#connections.set(namespace, (found = new Connections()));
    return found;
  }

  learn(link: CompiledLink, address: Ip, mac: string): void {
    this.learned.set(`${link.id} ${address.text}`, mac);
  }

  neighbour(link: CompiledLink, address: Ip): string | undefined {
    return this.learned.get(`${link.id} ${address.text}`);
  }

  stop(
    namespace: CompiledNamespace,
    cause: StopCause,
    { object, reason, remedy }: Pick<Stop, "object" | "reason" | "remedy">,
  ): Fate {
    this.tell?.(namespace, "stop", object, reason);
    return {
      kind: "stopped",
      stop: { cause, namespace: namespace.name, object, reason, remedy, onReply: this.onReply },
    };
  }
}
