import type { CompiledLink } from "./compiled-network.ts";
import { isLoopback, type Ip } from "./ip-address.ts";
import type { Fate, Passage } from "./passage.ts";
import { localLink, routeTo } from "./routing.ts";

/**
 * Whether a sender may be on this link: never the machine itself, and with rp_filter only where the way back leads
 * (fib_validate_source in net/ipv4/fib_frontend.c). null: it may.
 */
export function checkSource(passage: Passage, link: CompiledLink, source: Ip): Fate | null {
  const { namespace, settings } = link;
  const { follows } = passage.network;
  if (follows("martian-source")) {
    const isImpossible = isLoopback(source) && !(source.family === 4 && settings.routeLocalnet);
    // IPv6 has no such check.
    const isOwn = source.family === 4 && !settings.acceptLocal && localLink(namespace, source, null) !== null;
    if (isImpossible || isOwn) return martian(passage, link, source, isOwn);
  }
  if (source.family === 6 || settings.rpFilter === 0 || !follows("rp-filter")) return null;
  const back = routeTo(namespace, source);
  if (back !== null && (back.link === link || settings.rpFilter === 2)) return null;
  const part = link.name.replaceAll(".", "/");
  return passage.stop(namespace, "reverse-path", {
    object: `sysctl net.ipv4.conf.${part}.rp_filter = ${settings.rpFilter}${back === null ? "" : `; ip route: ${back.text}`}`,
    reason: `It came in by ${link.name} from ${source.text}, and the way back there ${back === null ? "does not exist" : `is by ${back.link.name}`}.`,
    remedy: `sysctl -w net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.${part}.rp_filter=0, or ip route add ${source.text} dev ${link.name}`,
  });
}

function martian(passage: Passage, link: CompiledLink, source: Ip, isOwn: boolean): Fate {
  const { namespace, name } = link;
  const owner = localLink(namespace, source, null)?.name ?? "lo";
  return passage.stop(namespace, "martian-source", {
    object: `ip route: local ${source.text} dev ${owner} table local`,
    reason: isOwn
      ? `It came in by ${name} with the sender ${source.text}, which is this machine's own address.`
      : `It came in by ${name} with the sender ${source.text}, which no other machine can have.`,
    remedy: isOwn ? `Take ${source.text} away from one of the two machines.` : `Send from an address of the network.`,
  });
}
