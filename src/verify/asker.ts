import type { Host } from "../host/host.ts";
import { dial, openIcmpSocket, type DialledSocket, type IcmpSocket } from "../host/internet-socket.ts";
import { icmpNews, isFinal } from "./icmp-news.ts";
import type { LocalFacts } from "./local-facts.ts";
import type { Lookout } from "./lookout.ts";
import { writeMark } from "./mark.ts";
import type { Probe, Told } from "./probe.ts";
import { broadcast, datagram, echoRequest } from "./probe-packets.ts";

const POLLIN = 1;

interface Echoes {
  socket: IcmpSocket;
  version: 4 | 6;
  namespace: string;
  /** Of its requests. Each namespace has its own: behind one translated address a machine tells answers apart by it alone. */
  identifier: number;
}

/** Sends what the probes ask, each with the IP stack of its own namespace, and hears what the asking program is told. */
export class Asker {
  readonly #host: Host;
  readonly #run: Uint8Array;
  readonly #identifier: number;
  readonly #lookout: Lookout;
  readonly #facts: LocalFacts;
  /** Namespace and IP version. */
  readonly #echoes = new Map<string, Echoes>();
  readonly #dialled = new Map<number, { socket: DialledSocket; probe: Probe }>();

  constructor(
    { host, run, identifier }: { host: Host; run: Uint8Array; identifier: number },
    lookout: Lookout,
    facts: LocalFacts,
  ) {
    this.#host = host;
    this.#run = run;
    this.#identifier = identifier;
    this.#lookout = lookout;
    this.#facts = facts;
  }

  /** Finds for the probes of a batch that ask by broadcast through which interface they do. */
  prepare(probes: readonly Probe[]): void {
    const byNamespace = new Map<Probe["from"], Probe[]>();
    for (const probe of probes) {
      if (probe.question.how.kind === "arp")
        byNamespace.set(probe.from, [...(byNamespace.get(probe.from) ?? []), probe]);
    }
    for (const [endpoint, asking] of byNamespace) {
      const links = this.#facts.askingLinks(
        endpoint,
        asking.map(({ question }) => question.address),
      );
      asking.forEach((probe, i) => (probe.asker = links[i] ?? null));
    }
  }

  /** One try. null: it is on its way, or may be tried again; else what the program was told at once. */
  send(probe: Probe): Told | null {
    const refusal = this.#send(probe);
    if (refusal === null || refusal === "EAGAIN" || refusal === "ENOBUFS") return null;
    return refusal === "ECONNREFUSED" ? { kind: "refused" } : { kind: "send-error", code: refusal };
  }

  /** Descriptors to poll. */
  get sockets(): { fd: number; mask: number }[] {
    return [
      ...[...this.#echoes.values()].map(({ socket }) => ({ fd: socket.fd, mask: POLLIN })),
      ...[...this.#dialled.values()].map(({ socket }) => ({ fd: socket.fd, mask: socket.pollMask })),
    ];
  }

  /** Takes in what the ready sockets have; `probeOf` finds a probe by its number. */
  read(
    ready: ReadonlySet<number>,
    probeOf: (index: number) => Probe | undefined,
    tell: (probe: Probe, told: Told) => void,
  ): void {
    for (const { socket, version, namespace } of this.#echoes.values()) {
      if (!ready.has(socket.fd)) continue;
      socket.receive((bytes) => {
        const news = icmpNews(this.#run, version, bytes);
        const probe = news === null ? undefined : probeOf(news.index);
        if (news === null || probe === undefined || probe.question.how.kind !== "icmp") return;
        // An answer that came to another than its asker is none.
        if (probe.from.namespace !== namespace) return;
        if (news.kind === "reply") tell(probe, { kind: "answered" });
        else if (isFinal(version, news, probe.question.dontFragment === true)) tell(probe, { kind: "icmp-error" });
      });
    }
    for (const { socket, probe } of this.#dialled.values()) {
      if (!ready.has(socket.fd)) continue;
      const told = hear(socket, probe);
      if (told !== null) tell(probe, told);
    }
  }

  /** Closes the connections of probes that are done. */
  hangUp(): void {
    for (const { socket, probe } of this.#dialled.values()) {
      if (!probe.done) continue;
      socket.close();
      this.#dialled.delete(socket.fd);
    }
  }

  close(): void {
    for (const { socket } of this.#dialled.values()) socket.close();
    for (const { socket } of this.#echoes.values()) socket.close();
    this.#dialled.clear();
    this.#echoes.clear();
  }

  /** null: sent. Else the errno name. */
  #send(probe: Probe): string | null {
    const { question, version, index, from } = probe;
    const { how, address } = question;
    const mark = writeMark(this.#run, { index, attempt: probe.tries });
    switch (how.kind) {
      case "icmp": {
        const { socket, identifier } = this.#echoesOf(from.namespace, version);
        const echo = { identifier, sequence: index, mark, size: question.size };
        return socket.send(address, echoRequest(version, echo), question.dontFragment);
      }
      case "arp":
        return this.#broadcast(probe);
      case "tcp":
        return this.#dial(probe, how.kind, how.port).refusal;
      case "udp": {
        // The same socket again: a late answer to the first try counts, too.
        const known = [...this.#dialled.values()].find((entry) => entry.probe === probe)?.socket;
        const socket = known ?? this.#dial(probe, how.kind, how.port);
        return socket.refusal ?? socket.send(datagram(how.port, mark));
      }
    }
  }

  #broadcast({ asker, version, question: { address }, from }: Probe): string | null {
    const frame = broadcast(version, asker, address);
    return typeof frame === "string" ? frame : this.#lookout.send(from.namespace, asker?.index ?? 0, frame);
  }

  #dial(probe: Probe, protocol: "tcp" | "udp", port: number): DialledSocket {
    const { address } = probe.question;
    const socket = this.#host.namespaces.within(probe.from.namespace, () => dial(protocol, address, port));
    this.#dialled.set(socket.fd, { socket, probe });
    if (protocol === "tcp") this.#lookout.expectConnection(probe, socket.localPort);
    return socket;
  }

  #echoesOf(namespace: string, version: 4 | 6): Echoes {
    const key = `${namespace}/${version}`;
    let echoes = this.#echoes.get(key);
    if (echoes === undefined) {
      const socket = this.#host.namespaces.within(namespace, () => openIcmpSocket(version));
      const identifier = (this.#identifier + this.#echoes.size) % 65_536;
      this.#echoes.set(key, (echoes = { socket, version, namespace, identifier }));
    }
    return echoes;
  }
}

function hear(socket: DialledSocket, { question }: Probe): Told | null {
  const code = socket.takeError();
  if (code === "ECONNREFUSED") return { kind: "refused" };
  if (code !== null) return { kind: "send-error", code };
  if (question.how.kind === "tcp") return { kind: "answered" };
  return socket.takeDatagram() ? { kind: "answered" } : null;
}
