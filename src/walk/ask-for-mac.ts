import type { Answer, Endpoint } from "../model/reachability.ts";
import { askNeighbour } from "./ask-neighbour.ts";
import type { CompiledLink, CompiledNamespace } from "./compiled-network.ts";
import { ended, NOTHING } from "./ended.ts";
import { endpointIn } from "./endpoint-index.ts";
import type { Ip } from "./ip-address.ts";
import type { Passage } from "./passage.ts";
import { routeTo, sourceFor } from "./routing.ts";
import { noRoute } from "./send-ip.ts";

/**
 * A broadcast question for the address itself, as arping(8) asks it: through the interface by which the asker would send to
 * it, or else its first one.
 */
export function askForMac(
  passage: Passage,
  endpoints: readonly Endpoint[],
  from: CompiledNamespace,
  first: CompiledLink | null,
  address: Ip,
): Answer {
  passage.asksForMac = true;
  if (from.unmodelledRouting !== null) {
    return ended(passage, { kind: "unknown", unknown: `${from.name}: ${from.unmodelledRouting}` }, NOTHING);
  }
  const found = routeTo(from, address);
  const route = found === null || found.type === "local" ? null : found;
  const link = route?.link ?? first;
  if (link === null) return ended(passage, noRoute(passage, from, address), NOTHING);
  const source = route === null ? null : sourceFor(route, address);
  const asked = askNeighbour(passage, link, address, ownSender(link, address, source));
  if (asked.kind !== "answered") return ended(passage, asked, NOTHING);
  const answeredBy = endpointIn(endpoints, asked.by.namespace);
  return { ...ended(passage, { kind: "answered" }, { arrived: null, answeredBy }), mac: asked.mac };
}

/** The address by which it would send; IPv6 asks by one of the link's own only (ndisc_solicit in net/ipv6/ndisc.c). */
function ownSender({ addresses }: CompiledLink, target: Ip, source: Ip | null): Ip | null {
  if (source?.family === 4) return source;
  const own = addresses.filter(({ ip: one, scope }) => one.family === target.family && scope !== "host");
  const wanted = own.find(({ ip: one }) => one === source) ?? own.find(({ scope }) => scope === "global") ?? own[0];
  return wanted?.ip ?? source;
}
