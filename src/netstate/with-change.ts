import type { NamespaceState, NetworkState } from "../model/network-state.ts";
import type { Change } from "./change.ts";
import { newNamespaceState } from "./new-namespace.ts";

/**
 * The network as it would be if this one change were carried out. Pure: so a walk can be asked which of the differences
 * from what is wanted is to blame. A link that is added or removed brings or takes both its ends, addresses and routes only
 * as other changes of their own.
 */
export function withChange(network: NetworkState, change: Change): NetworkState {
  const state = network[change.namespace] ?? newNamespaceState();
  return { ...network, [change.namespace]: changed(state, change) };
}

function changed(state: NamespaceState, change: Change): NamespaceState {
  switch (change.object) {
    case "link":
      return { ...state, links: replaced(state.links, change, ({ name }) => name) };
    case "address":
      return {
        ...state,
        addresses: replaced(state.addresses, change, (one) => `${one.link} ${one.address}/${one.prefix}`),
      };
    case "route":
      return { ...state, routes: replaced(state.routes, change, (one) => `${one.destination} ${one.via} ${one.link}`) };
    case "neighbour":
      return {
        ...state,
        neighbours: replaced(state.neighbours, change, (one) => `${one.link} ${one.address} ${one.proxy}`),
      };
    case "switch":
      return { ...state, switches: replaced(state.switches ?? [], change, ({ name }) => name) };
    case "sysctl":
      return { ...state, sysctls: withSysctl(state.sysctls, change.name, change.wanted) };
    case "table":
      return { ...state, tables: withKey(state.tables, change.name, change.wanted) };
  }
}

/** The list without what was observed, and with what is wanted. */
function replaced<T>(
  list: readonly T[],
  { wanted, observed }: { wanted: T | null; observed: T | null },
  keyOf: (entry: T) => string,
): T[] {
  const gone = new Set([wanted, observed].flatMap((entry) => (entry === null ? [] : [keyOf(entry)])));
  const kept = list.filter((entry) => !gone.has(keyOf(entry)));
  return wanted === null ? kept : [...kept, wanted];
}

/** Switches that the kernel hands on to every interface when they are set (ip-sysctl.rst). */
const HANDED_ON: Record<string, RegExp> = {
  "net.ipv4.ip_forward": /^net\.ipv4\.conf\..+\.forwarding$/,
  "net.ipv6.conf.all.forwarding": /^net\.ipv6\.conf\..+\.forwarding$/,
  "net.ipv6.conf.all.disable_ipv6": /^net\.ipv6\.conf\..+\.disable_ipv6$/,
};

function withSysctl(sysctls: Record<string, string>, name: string, value: string | null): Record<string, string> {
  const changed = withKey(sysctls, name, value);
  const handedOn = HANDED_ON[name];
  if (handedOn === undefined || value === null) return changed;
  return Object.fromEntries(Object.entries(changed).map(([key, old]) => [key, handedOn.test(key) ? value : old]));
}

function withKey<T>(record: Record<string, T>, key: string, value: T | null): Record<string, T> {
  const { [key]: _, ...rest } = record;
  return value === null ? rest : { ...rest, [key]: value };
}
