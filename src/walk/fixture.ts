import type { NamespaceState, Link, NetworkState, Observations, SwitchPort } from "../model/network-state.ts";
import type { NftChain, NftFamily, NftHook, NftRule, NftSet, NftStatement, NftTable } from "../model/nft.ts";
import type { Answer, Endpoint, Question } from "../model/reachability.ts";
import { compileNetwork } from "./compile-network.ts";
import { walk, type WalkOptions } from "./walk.ts";
import type { WalkRule } from "./walk-rules.ts";

interface Machine {
  /** `eth0 10.0.0.1/24` */
  addresses?: string[];
  /** As `ip route` takes them: `default via 10.0.0.1 dev eth0 onlink src 10.0.0.2`. */
  routes?: string[];
  /** `10.0.0.5 dev eth0 lladdr 02:00:00:00:00:09`, `10.0.0.5 dev eth0 proxy` */
  neighbours?: string[];
  sysctls?: Record<string, string>;
  tables?: NftTable[];
  observed?: Partial<Observations>;
}

/** Builds small networks for tests: machines, wires between their interfaces, bridges, switches. Namespaces are named as machines. */
export class Wiring {
  readonly state: NetworkState = {};
  #macs = 0;

  machine(
    name: string,
    { addresses = [], routes = [], neighbours = [], sysctls = {}, tables = [], observed }: Machine = {},
  ): this {
    this.state[name] = {
      links: [{ ...newLink("lo", "loopback"), mtu: 65536, mac: null }],
      addresses: addresses.map(parseAddress),
      routes: routes.map(parseRoute),
      neighbours: neighbours.map(parseNeighbour),
      sysctls,
      tables: Object.fromEntries(tables.map((table) => [`${table.family} ${table.name}`, table])),
      ...(observed === undefined
        ? {}
        : {
            observed: {
              learned: [],
              leasedAddresses: [],
              leasedRoutes: [],
              foreignTables: {},
              unmodelled: [],
              ...observed,
            },
          }),
    };
    return this;
  }

  /** Ends are `machine/interface`; they may be ports of a bridge. */
  wire(a: string, b: string, changes: Partial<Link> = {}): this {
    for (const [self, other] of [
      [a, b],
      [b, a],
    ] as const) {
      const [namespace, name] = split(self);
      const [peerNamespace, peerName] = split(other);
      const peer = { namespace: peerNamespace, name: peerName };
      this.#namespace(namespace).links.push({ ...newLink(name, "veth"), mac: this.#nextMac(), peer, ...changes });
    }
    return this;
  }

  bridge(at: string, ports: string[]): this {
    const [namespace, name] = split(at);
    const { links } = this.#namespace(namespace);
    links.push({ ...newLink(name, "bridge"), mac: this.#nextMac() });
    for (const port of ports) this.change(`${namespace}/${port}`, { master: name });
    return this;
  }

  vlan(at: string, parent: string, id: number): this {
    const [namespace, name] = split(at);
    const mac = this.link(`${namespace}/${parent}`).mac;
    this.#namespace(namespace).links.push({ ...newLink(name, "vlan"), mac, vlan: { parent, id } });
    return this;
  }

  switch(at: string, ports: SwitchPort[]): this {
    const [namespace, name] = split(at);
    const state = this.#namespace(namespace);
    state.switches = [...(state.switches ?? []), { name, ports }];
    return this;
  }

  /** A machine that is only a bridge, with the other ends of these as its ports. */
  hub(name: string, ends: string[]): this {
    this.machine(name);
    const ports = ends.map((end, index) => {
      this.wire(end, `${name}/p${index}`);
      return `p${index}`;
    });
    return this.bridge(`${name}/br0`, ports);
  }

  /** One more address, and routes. */
  machineAddress(name: string, address: string, ...routes: string[]): this {
    const state = this.#namespace(name);
    state.addresses.push(parseAddress(address));
    state.routes.push(...routes.map(parseRoute));
    return this;
  }

  link(at: string): Link {
    const [namespace, name] = split(at);
    const link = this.#namespace(namespace).links.find((one) => one.name === name);
    if (link === undefined) throw new Error(`no link ${at}`);
    return link;
  }

  change(at: string, changes: Partial<Link>): this {
    Object.assign(this.link(at), changes);
    return this;
  }

  /** Every machine with addresses. */
  endpoints(): Endpoint[] {
    return Object.entries(this.state).map(([name, { links, addresses }]) => ({
      name,
      kind: "machine",
      namespace: name,
      interfaces: links.map((link) => ({
        link: link.name,
        network: "net",
        addresses: addresses.filter((one) => one.link === link.name).map(({ address }) => address),
        mac: link.mac ?? "",
      })),
      services: [],
    }));
  }

  /** `how`: `icmp`, `arp`, `80/tcp`. */
  ask(
    from: string,
    address: string,
    how = "icmp",
    options: WalkOptions & { without?: WalkRule | undefined } = {},
  ): Answer {
    const { without, ...rest } = options;
    const network = compileNetwork(this.state, without === undefined ? {} : { without });
    return walk(network, this.endpoints(), { from, to: "", address, how: parseHow(how) }, rest);
  }

  #namespace(name: string): NamespaceState {
    const state = this.state[name];
    if (state === undefined) throw new Error(`no machine ${name}`);
    return state;
  }

  #nextMac(): string {
    return `02:00:00:00:00:${(++this.#macs).toString(16).padStart(2, "0")}`;
  }
}

function newLink(name: string, kind: Link["kind"]): Link {
  return { name, kind, up: true, mtu: 1500, mac: null, master: null, peer: null, rpsCpus: [] };
}

function split(at: string): [string, string] {
  const [namespace = "", name = ""] = at.split("/");
  return [namespace, name];
}

function parseAddress(text: string) {
  const [link = "", cidr = ""] = text.split(" ");
  const [address = "", prefix] = cidr.split("/");
  return { link, address, prefix: Number(prefix) };
}

function parseRoute(text: string) {
  const after = (word: string) => new RegExp(`\\b${word} (\\S+)`).exec(text)?.[1];
  const source = after("src");
  return {
    destination: text.split(" ")[0] ?? "",
    via: after("via") ?? null,
    link: after("dev") ?? null,
    ...(text.includes("onlink") ? { onLink: true } : {}),
    ...(source === undefined ? {} : { source }),
  };
}

export function parseNeighbour(text: string) {
  const [address = "", , link = ""] = text.split(" ");
  const mac = /lladdr (\S+)/.exec(text)?.[1] ?? null;
  return { link, address, mac, proxy: text.endsWith(" proxy") };
}

function parseHow(how: string): Question["how"] {
  if (how === "icmp" || how === "arp") return { kind: how };
  const [port, kind] = how.split("/");
  return { kind: kind === "udp" ? "udp" : "tcp", port: Number(port) };
}

/** A table with one base chain, and others that it may jump to. */
export function table(
  family: NftFamily,
  hook: NftHook["hook"],
  rules: NftRule[],
  {
    name = "t",
    priority = 0,
    policy = "accept",
    type = "filter",
    device,
    sets = [],
    others = [],
  }: Partial<Pick<NftHook, "priority" | "policy" | "type" | "device">> & {
    name?: string;
    sets?: NftSet[];
    others?: NftChain[];
  } = {},
): NftTable {
  const base: NftHook = { type, hook, priority, policy, ...(device === undefined ? {} : { device }) };
  return { family, name, sets, chains: [{ name: hook, base, rules }, ...others] };
}

export function rule(...expr: NftStatement[]): NftRule {
  return { handle: 7, expr };
}

/** `match("ip saddr", "10.0.0.1")`, `match("iifname", "eth0", "!=")`, `match("ct state", ["new"], "in")` */
export function match(left: string, right: unknown, op = "=="): NftStatement {
  const parts = left.split(" . ").map(expression);
  return { match: { op, left: parts.length === 1 ? parts[0] : { concat: parts }, right } };
}

export function expression(text: string): unknown {
  const [first = "", ...rest] = text.split(" ");
  if (first === "ct") return { ct: { key: rest.join(" ") } };
  if (first === "fib") return { fib: { flags: rest.slice(0, 1), result: "type" } };
  if (first === "meta") return { meta: { key: rest[0] } };
  if (rest.length === 0) return { meta: { key: first } };
  return { payload: { protocol: first, field: rest.join(" ") } };
}

export const accept: NftStatement = { accept: null };
export const drop: NftStatement = { drop: null };
