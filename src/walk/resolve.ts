import { askNeighbour, requestSender, solicitationSender } from "./ask-neighbour.ts";
import type { CompiledLink } from "./compiled-network.ts";
import type { Ip } from "./ip-address.ts";
import type { Fate, Passage } from "./passage.ts";

/** The MAC of a next hop, and the entry of the neighbour table that it is from; null: it was asked for. */
export type Resolved = { kind: "mac"; mac: string; entry: string | null };

/** Finds the MAC of a next hop: from the neighbour table, else by asking (neigh_resolve_output). `source`: of the packet that waits. */
export function resolveNextHop(passage: Passage, link: CompiledLink, nextHop: Ip, source: Ip): Resolved | Fate {
  const listed = passage.network.follows("neighbour-entries") ? link.neighbours.get(nextHop.text) : undefined;
  if (listed !== undefined) {
    const entry = `${nextHop.text} dev ${link.name} lladdr ${listed.mac} ${listed.permanent ? "PERMANENT" : "REACHABLE"}`;
    passage.tell?.(link.namespace, "arp", `ip neigh: ${entry}`, `the neighbour table has the MAC of ${nextHop.text}`);
    return { kind: "mac", mac: listed.mac, entry };
  }
  const learned = passage.neighbour(link, nextHop);
  if (learned !== undefined) return { kind: "mac", mac: learned, entry: null };
  return ask(passage, link, nextHop, source);
}

export function ask(passage: Passage, link: CompiledLink, nextHop: Ip, source: Ip): Resolved | Fate {
  const sender = nextHop.family === 4 ? requestSender(link, nextHop, source) : solicitationSender(link, source);
  const asked = askNeighbour(passage, link, nextHop, sender);
  if (asked.kind === "unknown") return asked;
  if (asked.kind === "stopped") return { kind: "stopped", stop: { ...asked.stop, onReply: passage.onReply } };
  for (const { link: by, address, mac } of asked.learned) passage.learn(by, address, mac);
  passage.learn(link, nextHop, asked.mac);
  return { kind: "mac", mac: asked.mac, entry: null };
}
