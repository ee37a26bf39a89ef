import { perform, type Deed, type ForeignKernel } from "../host/foreign-kernel.ts";
import {
  closeForeign,
  dialForeign,
  findLink,
  findRoute,
  openSocket,
  pollForeign,
  readDialled,
  readEchoes,
  sendDatagram,
  sendEcho,
  sendFrame,
} from "../host/foreign-sockets.ts";
import type { Host } from "../host/host.ts";
import type { FoundRoute } from "../host/route-lookup.ts";
import { LabError } from "../model/error.ts";
import type { Endpoint } from "../model/reachability.ts";
import { icmpNews, isFinal } from "./icmp-news.ts";
import { LOCAL_ROUTE } from "./local-facts.ts";
import type { Lookout } from "./lookout.ts";
import { writeMark } from "./mark.ts";
import type { AskingLink, Probe, Told } from "./probe.ts";
import { broadcast, datagram, echoRequest } from "./probe-packets.ts";

const POLLIN = 1;
const POLLOUT = 4;
const SENT_AT_ONCE = 20;
const READ_AT_ONCE = 50;
const ROUTES_AT_ONCE = 50;
/** How long a guest may wait for something to tell, when there is nothing to be sent. */
const POLL_MS = 40;

/** Of the ICMP socket of a version. */
interface Echoes {
  fd: number;
  version: 4 | 6;
}

interface Queued {
  probe: Probe;
  attempt: number;
  waitMs: number;
}

interface Dialled {
  fd: number;
  probe: Probe;
  protocol: "tcp" | "udp";
}

type Tell = (probe: Probe, told: Told) => void;

/**
 * Asks from inside a guest: its own kernel makes the packets, and is told by it what the asker is told. One message is
 * under way at a time; `step` begins the next.
 */
export class GuestAsker {
  readonly #host: Host;
  readonly #endpoint: Endpoint;
  readonly #kernel: ForeignKernel;
  readonly #run: Uint8Array;
  readonly #identifier: number;
  readonly #lookout: Lookout;
  #echoes: Echoes[] = [];
  #packets = -1;
  #queue: Queued[] = [];
  readonly #dialled = new Map<number, Dialled>();
  #ready = new Set<number>();
  #isBusy = false;
  #failure: Error | null = null;

  constructor(
    { host, run, identifier }: { host: Host; run: Uint8Array; identifier: number },
    endpoint: Endpoint,
    kernel: ForeignKernel,
    lookout: Lookout,
  ) {
    this.#host = host;
    this.#endpoint = endpoint;
    this.#kernel = kernel;
    this.#run = run;
    this.#identifier = identifier;
    this.#lookout = lookout;
  }

  /** Opens what it sends by, and finds for the probes that ask by broadcast through which interface they do. Throws LabError. */
  async prepare(probes: readonly Probe[]): Promise<void> {
    await this.#speak(async () => {
      if (this.#echoes.length === 0) await this.#open();
      const asking = probes.filter(({ question }) => question.how.kind === "arp");
      if (asking.length > 0) await this.#findLinks(asking);
    });
  }

  /** One try; it is on its way some steps later, and waits for its answer from then on. */
  send(probe: Probe, waitMs: number): null {
    probe.dueMs = Number.POSITIVE_INFINITY;
    this.#queue.push({ probe, attempt: probe.tries, waitMs });
    return null;
  }

  /** Has the guest do what is to be done, unless it is at it. Throws LabError when it did not do it. */
  step(probeOf: (index: number) => Probe | undefined, tell: Tell): void {
    if (this.#failure !== null) throw this.#failure;
    if (this.#isBusy) return;
    const sent = this.#queue.splice(0, SENT_AT_ONCE).filter(({ probe }) => !probe.done);
    const deeds = [
      ...this.#hangUp(),
      ...this.#read(probeOf, tell),
      ...sent.flatMap((queued) => this.#send(queued, tell)),
    ];
    const waits = deeds.length === 0 ? POLL_MS : 0;
    const listening = this.#listening();
    if (deeds.length === 0 && listening.length === 0) return;
    this.#isBusy = true;
    void this.#speak(() =>
      perform(this.#kernel, [...deeds, pollForeign(listening, waits, (ready) => (this.#ready = ready))]),
    ).then(
      () => (this.#isBusy = false),
      (error: unknown) => (this.#failure = error instanceof Error ? error : new Error(String(error))),
    );
  }

  /** What a guest answers may make no sense at all. */
  async #speak(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (error instanceof LabError) throw error;
      throw new LabError(`what the kernel of ${this.#endpoint.name} answers makes no sense`, { cause: error });
    }
  }

  async #open(): Promise<void> {
    const take = (version: 4 | 6) => (fd: number) => {
      if (fd >= 0) this.#echoes.push({ fd, version });
    };
    await perform(this.#kernel, [
      openSocket("icmp4", take(4)),
      openSocket("icmp6", take(6)),
      openSocket("packet", (fd) => (this.#packets = fd)),
    ]);
    if (this.#packets < 0 || this.#echoes.length === 0) {
      throw new LabError(`${this.#endpoint.name} has no raw sockets to ask by`, {
        hint: "its kernel is not the one that it was given",
      });
    }
  }

  async #findLinks(asking: readonly Probe[]): Promise<void> {
    const links: (AskingLink & { own: string[] })[] = [];
    let routes = -1;
    await perform(this.#kernel, [
      openSocket("routes", (fd) => (routes = fd)),
      ...this.#endpoint.interfaces.map(({ link: name, addresses }) =>
        findLink(this.#packets, name, (found) => {
          if (found !== null) links.push({ ...found, name, address: null, own: addresses });
        }),
      ),
    ]);
    for (let at = 0; at < asking.length; at += ROUTES_AT_ONCE) {
      const some = asking.slice(at, at + ROUTES_AT_ONCE);
      await perform(
        this.#kernel,
        some.map((probe, i) =>
          findRoute(routes, probe.question.address, at + i + 1, (route) => {
            probe.asker = askingLink(links, probe.question.address, route);
          }),
        ),
      );
    }
    await perform(this.#kernel, [closeForeign(routes)]);
  }

  #send({ probe, attempt, waitMs }: Queued, tell: Tell): Deed[] {
    const { question, version, index } = probe;
    const { how, address } = question;
    const mark = writeMark(this.#run, { index, attempt });
    const after = (refusal: string | null): void => {
      probe.dueMs = this.#host.clock.monotonicMs() + waitMs;
      if (refusal === null || refusal === "EAGAIN" || refusal === "ENOBUFS") return;
      tell(probe, refusal === "ECONNREFUSED" ? { kind: "refused" } : { kind: "send-error", code: refusal });
    };
    switch (how.kind) {
      case "icmp": {
        const fd = this.#echoes.find((one) => one.version === version)?.fd ?? -1;
        const echo = { identifier: this.#identifier, sequence: index, mark, size: question.size };
        const message = echoRequest(version, echo);
        return [sendEcho(fd, version, { address, message, dontFragment: question.dontFragment }, after)];
      }
      case "arp": {
        const frame = broadcast(version, probe.asker, address);
        if (typeof frame === "string") {
          after(frame);
          return [];
        }
        return [sendFrame(this.#packets, probe.asker?.index ?? 0, frame, after)];
      }
      case "tcp":
        return [this.#dial(probe, how.kind, { address, port: how.port, datagram: null }, after)];
      case "udp": {
        const bytes = datagram(how.port, mark);
        const known = [...this.#dialled.values()].find((entry) => entry.probe === probe);
        return known === undefined
          ? [this.#dial(probe, how.kind, { address, port: how.port, datagram: bytes }, after)]
          : [sendDatagram(known.fd, bytes, after)];
      }
    }
  }

  #dial(
    probe: Probe,
    protocol: "tcp" | "udp",
    to: { address: string; port: number; datagram: Uint8Array | null },
    after: (refusal: string | null) => void,
  ): Deed {
    return dialForeign(to, ({ fd, localPort, refusal }) => {
      if (fd >= 0) this.#dialled.set(fd, { fd, probe, protocol });
      if (protocol === "tcp") this.#lookout.expectConnection(probe, localPort);
      after(refusal);
    });
  }

  #read(probeOf: (index: number) => Probe | undefined, tell: Tell): Deed[] {
    const ready = [...this.#ready].slice(0, READ_AT_ONCE);
    this.#ready.clear();
    return ready.flatMap((fd): Deed[] => {
      const echoes = this.#echoes.find((one) => one.fd === fd);
      if (echoes !== undefined)
        return [readEchoes(fd, (bytes) => this.#hearEcho(echoes.version, bytes, probeOf, tell))];
      const dialled = this.#dialled.get(fd);
      if (dialled === undefined || dialled.probe.done) return [];
      const { probe, protocol } = dialled;
      return [
        readDialled(fd, (error, datagram) => {
          if (error === "ECONNREFUSED") tell(probe, { kind: "refused" });
          else if (error !== null) tell(probe, { kind: "send-error", code: error });
          else if (protocol === "tcp" || datagram) tell(probe, { kind: "answered" });
        }),
      ];
    });
  }

  #hearEcho(version: 4 | 6, bytes: Uint8Array, probeOf: (index: number) => Probe | undefined, tell: Tell): void {
    const news = icmpNews(this.#run, version, bytes);
    const probe = news === null ? undefined : probeOf(news.index);
    if (news === null || probe === undefined || probe.question.how.kind !== "icmp") return;
    // An answer that came to another than its asker is none.
    if (probe.from.namespace !== this.#endpoint.namespace) return;
    if (news.kind === "reply") tell(probe, { kind: "answered" });
    else if (isFinal(version, news, probe.question.dontFragment === true)) tell(probe, { kind: "icmp-error" });
  }

  #listening(): { fd: number; mask: number }[] {
    return [
      ...this.#echoes.map(({ fd }) => ({ fd, mask: POLLIN })),
      ...[...this.#dialled.values()].map(({ fd, protocol }) => ({ fd, mask: protocol === "tcp" ? POLLOUT : POLLIN })),
    ];
  }

  #hangUp(): Deed[] {
    const done = [...this.#dialled.values()].filter(({ probe }) => probe.done);
    for (const { fd } of done) this.#dialled.delete(fd);
    return done.map(({ fd }) => closeForeign(fd));
  }
}

/** As `LocalFacts.askingLinks`, of a guest: its kernel's way, and the addresses that it was told to set. */
function askingLink(
  links: readonly (AskingLink & { own: string[] })[],
  address: string,
  route: FoundRoute | null,
): AskingLink | null {
  const isWay = route !== null && route.type !== LOCAL_ROUTE;
  const link = (isWay ? links.find(({ index }) => index === route.linkIndex) : null) ?? links[0];
  if (link === undefined) return null;
  const isV6 = address.includes(":");
  const onLink = link.own.filter((one) => one.includes(":") === isV6);
  const source = isWay ? route.source : null;
  // IPv6 asks by one of the link's own addresses only.
  const preferred = onLink.find((one) => one === source) ?? onLink[0] ?? source;
  return { index: link.index, name: link.name, mac: link.mac, address: isV6 ? preferred : (source ?? preferred) };
}
