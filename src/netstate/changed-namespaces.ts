import type { NetworkState } from "../model/network-state.ts";
import type { NamespaceName } from "../model/plan.ts";
import { sameData } from "../model/same-data.ts";

/**
 * Namespaces of `after` of which something else is wanted than in `before`, and those that are new. Only they need
 * `applyNetwork` when the network was as `before` says. Pure.
 */
export function changedNamespaces(before: NetworkState, after: NetworkState): NamespaceName[] {
  return Object.entries(after)
    .filter(([namespace, state]) => !sameData(state, before[namespace]))
    .map(([namespace]) => namespace);
}
