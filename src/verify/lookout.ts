import type { Host } from "../host/host.ts";
import { openPacketSocket, type PacketSocket } from "../host/packet-socket.ts";
import { decodeFrame } from "../model/frame.ts";
import type { NamespaceName } from "../model/plan.ts";
import { Connections } from "./connections.ts";
import type { Probe } from "./probe.ts";
import { seenByGuest, wireKey, type GuestWires } from "./guest-wires.ts";
import { recognise, type Recognised } from "./recognise.ts";
import type { Sighting } from "./sighting.ts";

/** linux/if_packet.h: a frame for another MAC. */
const OTHER_HOST = 3;

interface Post {
  namespace: NamespaceName;
  socket: PacketSocket;
  /** Index → name. */
  links: Map<number, string>;
}

/** Watches every interface of a lab's namespaces, and gives each probe what was seen of it. */
export class Lookout {
  readonly #host: Host;
  readonly #run: Uint8Array;
  readonly #wires: GuestWires;
  readonly #posts = new Map<NamespaceName, Post>();
  #byIndex = new Map<number, Probe>();
  /** Asker's MAC and the address asked for. */
  #byNeighbour = new Map<string, Probe[]>();
  #connections = new Connections();

  /** `run`: what this run's marks begin with. `wires`: of guests, which are watched at their taps. Throws LabError. */
  constructor(host: Host, namespaces: readonly NamespaceName[], run: Uint8Array, wires: GuestWires = new Map()) {
    this.#host = host;
    this.#run = run;
    this.#wires = wires;
    try {
      for (const namespace of new Set(namespaces)) {
        const socket = host.namespaces.within(namespace, openPacketSocket);
        this.#posts.set(namespace, { namespace, socket, links: new Map() });
      }
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Watches for these, and no longer for earlier ones. */
  expect(probes: readonly Probe[]): void {
    this.#byIndex = new Map(probes.map((probe) => [probe.index, probe]));
    this.#byNeighbour = new Map();
    this.#connections = new Connections();
    for (const probe of probes) {
      if (probe.asker === null) continue;
      const key = `${probe.asker.mac}>${probe.question.address}`;
      this.#byNeighbour.set(key, [...(this.#byNeighbour.get(key) ?? []), probe]);
    }
  }

  /** A connection that begins now. */
  expectConnection(probe: Probe, localPort: number): void {
    this.#connections.begin(probe, localPort);
  }

  /** Descriptors to poll. */
  get sockets(): { fd: number; namespace: NamespaceName }[] {
    return [...this.#posts.values()].map(({ socket, namespace }) => ({ fd: socket.fd, namespace }));
  }

  /** Takes in what a namespace's socket has. */
  read(namespace: NamespaceName): void {
    const post = this.#post(namespace);
    post.socket.receive(({ bytes, linkIndex, outgoing, packetType, vlanTag, timeNs }) => {
      const frame = decodeFrame(bytes);
      const what = frame === null ? null : recognise(this.#run, frame);
      if (frame === null || what === null || !this.#isExpected(what)) return;
      const link = this.#linkName(post, linkIndex);
      const sighting: Sighting = {
        namespace,
        interface: link,
        direction: outgoing ? "out" : "in",
        forThisMachine: packetType < OTHER_HOST,
        vlanTag: vlanTag ?? frame.vlans[0] ?? null,
        timeNs,
        what,
      };
      this.#deliver(sighting);
      const wire = this.#wires.get(wireKey(namespace, link));
      if (wire !== undefined) this.#deliver(seenByGuest(sighting, wire, frame.destination));
    });
  }

  /** Sends a frame as it is. null: sent; else the errno name. */
  send(namespace: NamespaceName, linkIndex: number, frame: Uint8Array): string | null {
    return this.#post(namespace).socket.send(linkIndex, frame);
  }

  /** Frames that came faster than they were read, since the last call. */
  lost(): number {
    return [...this.#posts.values()].reduce((sum, { socket }) => sum + socket.lost(), 0);
  }

  close(): void {
    for (const { socket } of this.#posts.values()) socket.close();
    this.#posts.clear();
  }

  #post(namespace: NamespaceName): Post {
    const post = this.#posts.get(namespace);
    if (post === undefined) throw new Error(`nobody watches ${namespace}`);
    return post;
  }

  /** Interfaces come and go while a lab runs. */
  #linkName(post: Post, index: number): string {
    if (!post.links.has(index)) {
      const netlink = this.#host.namespaces.netlink(post.namespace);
      try {
        for (const link of netlink.links()) post.links.set(link.index, link.name);
      } finally {
        netlink.close();
      }
      if (!post.links.has(index)) post.links.set(index, `if${index}`);
    }
    return post.links.get(index) ?? "";
  }

  #isExpected(what: Recognised): boolean {
    if (what.by === "mark") return this.#byIndex.has(what.index);
    return what.by === "tcp" || this.#byNeighbour.has(`${what.asker}>${what.target}`);
  }

  #deliver(sighting: Sighting): void {
    const { what } = sighting;
    if (what.by === "mark") {
      this.#byIndex.get(what.index)?.sightings.push(sighting);
    } else if (what.by === "neighbour") {
      for (const probe of this.#byNeighbour.get(`${what.asker}>${what.target}`) ?? []) probe.sightings.push(sighting);
    } else {
      this.#connections.deliver(sighting, what.initialSequence);
    }
  }
}
