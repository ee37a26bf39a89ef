import type { CompiledLink, CompiledNamespace, CompiledNetwork } from "./compiled-network.ts";
import type { Ip } from "./ip-address.ts";
import { askedTarget, isGroupMac, type Frame } from "./packet.ts";

/** Whether a machine could answer for the address: it has it, has a proxy entry for it, or answers for anything. */
export function mayAnswer({ answerers }: CompiledNetwork, namespace: CompiledNamespace, target: Ip): boolean {
  return namespace.proxiesAll || answerers.get(target.text)?.has(namespace) === true;
}

/**
 * The ports through which a flooded frame can reach somebody who wants it. The others get it too, and drop it; leaving
 * them out is what makes a hundred thousand walks quick. Remembered in `known`.
 */
export function portsTowards(
  network: CompiledNetwork,
  ports: readonly CompiledLink[],
  known: Map<string, CompiledLink[]>,
  frame: Frame,
): CompiledLink[] {
  const target = isGroupMac(frame.destination) ? askedTarget(frame) : null;
  const key = target?.text ?? frame.destination;
  let found = known.get(key);
  if (found === undefined) {
    const wants = (link: CompiledLink): boolean =>
      target === null ? wantsMac(network, link, frame.destination) : mayAnswer(network, link.namespace, target);
    found = ports.filter((port) => leadsOn(port) || port.peer === null || wants(port.peer));
    known.set(key, found);
  }
  return found;
}

function wantsMac(network: CompiledNetwork, { mac }: CompiledLink, destination: string): boolean {
  return mac === destination || isGroupMac(destination) || !network.follows("own-mac");
}

/** Behind it is another bridge, switch or VLAN, so anybody. */
function leadsOn({ kind, peer }: CompiledLink): boolean {
  if (kind !== "veth" && kind !== "tap" && kind !== "vif") return true;
  return peer !== null && (peer.master !== null || peer.switchPort !== null || peer.tagged.size > 0);
}
