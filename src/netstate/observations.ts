import type { NamespaceState } from "../model/network-state.ts";
import type { NamespaceName } from "../model/plan.ts";
import type { Ruleset } from "./nft-json.ts";
import { isGlobal, isMainUnicast, toAddress, toRoute, type ReadNamespace } from "./read-namespace.ts";
import type { NetworkSession } from "./session.ts";
import { isOwnTable } from "./tables.ts";
import {
  unmodelledLinks,
  unmodelledRoutes,
  unmodelledRules,
  unmodelledTables,
  unmodelledTraffic,
} from "./unmodelled.ts";

/** Fills `observed` of the state: what walks have to know besides configuration. Throws LabError. */
export async function observeForWalk(
  session: NetworkSession,
  namespace: NamespaceName,
  state: NamespaceState,
  read: ReadNamespace,
  ruleset: Ruleset | undefined,
): Promise<void> {
  const { nameOf } = read;
  const socket = session.socket(namespace);
  const [rules, qdiscs] = [socket.rules(), socket.qdiscs()];
  // What is configuration is told apart by name: these count in walks, and are not the plan's to set.
  const own = new Set(state.addresses.map((address) => JSON.stringify(address)));
  const ownRoutes = new Set(state.routes.map((route) => JSON.stringify(route)));
  const foreign = Object.entries(ruleset?.tables ?? {}).filter(([key]) => !isOwnTable(key));
  const odd = ruleset?.odd ?? [];

  state.observed = {
    learned: read.neighbours
      .filter(({ usable }) => usable)
      .map(({ linkIndex, address, mac }) => ({ link: nameOf(linkIndex), address, mac, proxy: false })),
    leasedAddresses: read.addresses
      .filter(isGlobal)
      .map((entry) => toAddress(entry, nameOf))
      .filter((address) => !own.has(JSON.stringify(address))),
    leasedRoutes: read.routes
      .filter(isMainUnicast)
      .map((entry) => toRoute(entry, nameOf))
      .filter((route) => !ownRoutes.has(JSON.stringify(route))),
    foreignTables: Object.fromEntries(foreign),
    unmodelled: [
      ...unmodelledLinks(read.links, state.links),
      ...unmodelledRules(rules),
      ...unmodelledRoutes(read.routes),
      ...(await unmodelledTraffic(session.host, namespace, qdiscs, nameOf)),
      ...unmodelledTables(read.legacyTables, odd),
    ],
  };
}
