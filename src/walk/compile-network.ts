import type { NamespaceState, NetworkState } from "../model/network-state.ts";
import type { CompiledLink, CompiledNamespace, CompiledNetwork } from "./compiled-network.ts";
import { compileAddresses } from "./compile-addresses.ts";
import { compileHooks } from "./compile-hooks.ts";
import { compileRoutes } from "./compile-routes.ts";
import { linkSettings } from "./link-settings.ts";
import { parseIp, type Ip } from "./ip-address.ts";
import { compileTable } from "./nft/compile-table.ts";
import { NO_MAC } from "./packet.ts";
import type { WalkRule } from "./walk-rules.ts";

export interface CompileOptions {
  /** A rule that walks are not to follow: for tests that show what it is good for. */
  without?: WalkRule;
}

/** Indexes a network state, wanted or observed, for walks through it. Pure. */
export function compileNetwork(state: NetworkState, { without }: CompileOptions = {}): CompiledNetwork {
  const follows = (rule: WalkRule) => rule !== without;
  const namespaces = new Map<string, CompiledNamespace>();
  let nextId = 0;
  for (const [name, part] of Object.entries(state))
    namespaces.set(
      name,
      newNamespace(name, part, follows, () => nextId++),
    );
  for (const [name, part] of Object.entries(state)) {
    const namespace = namespaces.get(name);
    if (namespace === undefined) continue;
    connectLinks(namespace, part, namespaces);
    connectSwitches(namespace, part);
    compileAddresses(namespace, part);
    addNeighbours(namespace, part);
    addTables(namespace, part);
    addUnmodelled(namespace, part);
  }
  for (const [name, part] of Object.entries(state)) {
    const namespace = namespaces.get(name);
    if (namespace !== undefined) compileRoutes(namespace, part);
  }
  return { namespaces, answerers: findAnswerers(namespaces), follows, asked: new Map() };
}

function newNamespace(
  name: string,
  { links, sysctls }: NamespaceState,
  follows: CompiledNamespace["follows"],
  nextId: () => number,
): CompiledNamespace {
  const compiled = new Map<string, CompiledLink>();
  const sysctl = (key: string): string | undefined => sysctls[key];
  const namespace: CompiledNamespace = {
    name,
    links: compiled,
    local: new Map(),
    routes: [],
    routeTo: new Map(),
    hooks: compileHooks([], false).hooks,
    tracks: false,
    proxiesAll: false,
    unmodelledRouting: null,
    sysctl,
    follows,
  };
  for (const link of links) {
    compiled.set(link.name, {
      id: nextId(),
      name: link.name,
      namespace,
      kind: link.kind,
      up: link.up,
      mtu: link.mtu,
      mac: link.mac?.toLowerCase() ?? NO_MAC,
      isolated: link.isolated === true,
      peer: null,
      master: null,
      ports: [],
      vlan: null,
      tagged: new Map(),
      switchPort: null,
      addresses: [],
      neighbours: new Map(),
      proxies: new Set(),
      settings: linkSettings(sysctl, link.name),
      unmodelled: null,
      ingress: [],
      egress: [],
      towards: new Map(),
    });
  }
  namespace.proxiesAll = [...compiled.values()].some(({ settings }) => settings.proxyArp || settings.proxyArpPvlan);
  return namespace;
}

function connectLinks(
  namespace: CompiledNamespace,
  { links }: NamespaceState,
  namespaces: ReadonlyMap<string, CompiledNamespace>,
): void {
  for (const { name, master, peer, vlan } of links) {
    const link = namespace.links.get(name);
    if (link === undefined) continue;
    link.peer = peer === null ? null : (namespaces.get(peer.namespace)?.links.get(peer.name) ?? null);
    link.master = master === null ? null : (namespace.links.get(master) ?? null);
    link.master?.ports.push(link);
    const parent = vlan === undefined ? undefined : namespace.links.get(vlan.parent);
    if (vlan === undefined || parent === undefined) continue;
    link.vlan = { parent, id: vlan.id };
    parent.tagged.set(vlan.id, link);
  }
}

function connectSwitches(namespace: CompiledNamespace, { switches = [] }: NamespaceState): void {
  for (const { name, ports } of switches) {
    const links: CompiledLink[] = [];
    const towards = new Map<string, CompiledLink[]>();
    for (const { link: linkName, vlan, guard } of ports) {
      const link = namespace.links.get(linkName);
      if (link === undefined) continue;
      const ips = new Set((guard?.addresses ?? []).map(parseIp).filter((address): address is Ip => address !== null));
      link.switchPort = {
        switchName: name,
        ports: links,
        vlan,
        guard: guard === null ? null : { ...guard, mac: guard.mac.toLowerCase(), ips },
        towards,
      };
      links.push(link);
    }
  }
}

function addNeighbours(namespace: CompiledNamespace, { neighbours, observed }: NamespaceState): void {
  const add = (entries: NamespaceState["neighbours"], permanent: boolean) => {
    for (const { link: name, address, mac, proxy } of entries) {
      const link = namespace.links.get(name);
      const text = parseIp(address)?.text;
      if (link === undefined || text === undefined) continue;
      if (proxy) link.proxies.add(text);
      else if (mac !== null) link.neighbours.set(text, { mac: mac.toLowerCase(), permanent });
    }
  };
  add(observed?.learned ?? [], false);
  add(neighbours, true);
}

function addTables(namespace: CompiledNamespace, { tables, observed }: NamespaceState): void {
  const chains = [...Object.values(tables), ...Object.values(observed?.foreignTables ?? {})].flatMap(compileTable);
  const isShown = (tables: string) => namespace.sysctl(`net.bridge.bridge-nf-call-${tables}`) === "1";
  const { hooks, tracks } = compileHooks(chains, isShown("iptables") || isShown("ip6tables"));
  namespace.hooks = hooks;
  namespace.tracks = tracks;
  for (const chain of chains) {
    const { base } = chain;
    if (base?.hook !== "ingress" && base?.hook !== "egress") continue;
    if (chain.rules.length === 0 && base.policy === "accept") continue;
    const bound = base.device === null || base.device === undefined ? undefined : namespace.links.get(base.device);
    if (bound !== undefined) bound[base.hook].push(chain);
    // nft 1.0.6 does not list the device in JSON: it may be any.
    else
      for (const link of namespace.links.values())
        link.unmodelled = `${chain.family} ${chain.table} ${chain.name}: a chain whose device is not known`;
  }
}

function addUnmodelled(namespace: CompiledNamespace, { observed }: NamespaceState): void {
  for (const { object, bearsOn } of observed?.unmodelled ?? []) {
    if (bearsOn === "routing") namespace.unmodelledRouting = object;
    else {
      const link = namespace.links.get(bearsOn.link);
      if (link !== undefined) link.unmodelled = object;
    }
  }
}

function findAnswerers(namespaces: ReadonlyMap<string, CompiledNamespace>): Map<string, Set<CompiledNamespace>> {
  const answerers = new Map<string, Set<CompiledNamespace>>();
  const add = (address: string, namespace: CompiledNamespace) => {
    const present = answerers.get(address);
    if (present === undefined) answerers.set(address, new Set([namespace]));
    else present.add(namespace);
  };
  for (const namespace of namespaces.values()) {
    for (const address of namespace.local.keys()) add(address, namespace);
    for (const { proxies, addresses } of namespace.links.values()) {
      for (const address of proxies) add(address, namespace);
      for (const { ip } of addresses) add(ip.text, namespace);
    }
  }
  return answerers;
}
