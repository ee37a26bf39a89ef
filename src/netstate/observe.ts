import type { Host } from "../host/host.ts";
import type { LinkEntry } from "../host/netlink-entry.ts";
import type { NamespaceState, NetworkState } from "../model/network-state.ts";
import type { NftTable } from "../model/nft.ts";
import type { NamespaceName } from "../model/plan.ts";
import { eachNamespace } from "./each-namespace.ts";
import type { Ruleset } from "./nft-json.ts";
import { observeForWalk } from "./observations.ts";
import { readNamespace } from "./read-namespace.ts";
import { resolvePeers } from "./peers.ts";
import { NetworkSession } from "./session.ts";
import { SHAPING_QDISCS, shapingByLink } from "./shaping.ts";
import type { SwitchDriver } from "./switch-driver.ts";
import { isOwnTable, observeTables } from "./tables.ts";

export interface ObserveOptions {
  /** The plan: which sysctls to read, on which links addresses are leased, where veths should have their other ends. */
  like?: NetworkState;
  /** Reads switches of Open vSwitch; without it none are observed. */
  switches?: SwitchDriver | undefined;
  /** Reads also what only packets care for: `observed` is filled, and all sysctls that walks know. */
  forWalk?: boolean;
}

/**
 * Reads the network of these namespaces back from the kernel, without what it does by itself: loopback addresses,
 * connected routes, link-local IPv6, learned neighbours, leases; `forWalk` reads these apart. Throws LabError when a
 * namespace is not there.
 */
export async function observeNetwork(
  host: Host,
  namespaces: readonly NamespaceName[],
  options: ObserveOptions = {},
): Promise<NetworkState> {
  const session = new NetworkSession(host);
  try {
    return await observeIn(session, namespaces, options);
  } finally {
    session.close();
  }
}

/** As `observeNetwork`, with the sockets of a session, which learns the indexes of the links. */
export async function observeIn(
  session: NetworkSession,
  namespaces: readonly NamespaceName[],
  { like = {}, switches, forWalk = false }: ObserveOptions,
): Promise<NetworkState> {
  const { host } = session;
  const links = new Map<NamespaceName, LinkEntry[]>();
  for (const namespace of [...namespaces, ...(await peerNamespaces(host, namespaces, like))]) {
    const entries = session.socket(namespace).links();
    session.learn(namespace, entries);
    links.set(namespace, entries);
  }
  const peerOf = resolvePeers(session, links);
  const observed: NetworkState = {};
  const read = new Map<NamespaceName, ReturnType<typeof readNamespace>>();
  for (const namespace of namespaces) {
    const one = readNamespace(session, namespace, links.get(namespace) ?? [], peerOf, like[namespace], forWalk);
    read.set(namespace, one);
    observed[namespace] = one.state;
  }
  const states = Object.entries(observed).map(([namespace, state]) => ({ namespace, state }));
  const each = (
    isConcerned: (namespace: NamespaceName, state: NamespaceState) => boolean,
    work: (namespace: NamespaceName, state: NamespaceState) => Promise<void>,
  ) =>
    eachNamespace(
      states.filter(({ namespace, state }) => isConcerned(namespace, state)),
      async (namespace, group) => {
        for (const { state } of group) await work(namespace, state);
      },
    );

  const rulesets = await observeTables(host, namespaces, forWalk);
  for (const [namespace, ruleset] of rulesets) {
    const state = observed[namespace];
    if (state !== undefined) state.tables = ownTables(ruleset);
  }
  const entriesOf = (namespace: NamespaceName) => links.get(namespace) ?? [];
  for (const { namespace, state } of states) {
    const entries = entriesOf(namespace);
    if (!entries.some(({ qdisc }) => qdisc !== null && SHAPING_QDISCS.has(qdisc))) continue;
    const shapings = shapingByLink(session.socket(namespace).qdiscs());
    const indexes = new Map(entries.map(({ name, index }) => [name, index]));
    for (const link of state.links) {
      const shaping = shapings.get(indexes.get(link.name) ?? 0);
      if (shaping !== undefined) link.shaping = shaping;
    }
  }
  if (switches !== undefined) {
    await each(
      (namespace) =>
        like[namespace]?.switches !== undefined ||
        entriesOf(namespace).some((entry) => isPerhapsSwitch(entry, like[namespace])),
      async (namespace, state) => {
        state.switches = await switches.observe(host, namespace);
        const names = new Set(state.switches.map(({ name }) => name));
        for (const link of state.links) if (names.has(link.name)) link.kind = "switch-port";
      },
    );
  }
  if (forWalk) {
    await each(
      () => true,
      async (namespace, state) => {
        const one = read.get(namespace);
        if (one !== undefined) await observeForWalk(session, namespace, state, one, rulesets.get(namespace));
      },
    );
  }
  return observed;
}

/** One with flags that nobody has asked for may be without effect, and is not what is wanted. */
function ownTables({ tables, odd }: Ruleset): Record<string, NftTable> {
  const own = Object.entries(tables).filter(([key]) => isOwnTable(key));
  return Object.fromEntries(
    own.map(([key, table]) => [key, odd.includes(key) ? { ...table, sets: [], chains: [] } : table]),
  );
}

/** Open vSwitch's devices are taps (in its userspace datapath) or of a kind of its own. */
function isPerhapsSwitch({ kind, name }: LinkEntry, like: NamespaceState | undefined): boolean {
  if (kind === "tun") return like?.links.some((link) => link.name === name && link.kind === "tap") !== true;
  return kind === "openvswitch";
}

/** Namespaces beside those observed in which veths should have their other ends: whether they do is seen only there. */
async function peerNamespaces(
  host: Host,
  namespaces: readonly NamespaceName[],
  like: NetworkState,
): Promise<NamespaceName[]> {
  const known = new Set(namespaces);
  const peers = new Set(
    namespaces
      .flatMap((namespace) => like[namespace]?.links ?? [])
      .flatMap(({ kind, peer }) =>
        kind !== "veth" || peer === null || known.has(peer.namespace) ? [] : peer.namespace,
      ),
  );
  if (peers.size === 0) return [];
  return (await host.namespaces.list()).filter((namespace) => peers.has(namespace));
}
