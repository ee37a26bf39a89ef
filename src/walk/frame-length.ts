import type { CompiledLink } from "./compiled-network.ts";
import type { Frame } from "./packet.ts";
import type { Fate, Passage } from "./passage.ts";

/** Room for one VLAN tag is always left (is_skb_forwardable in include/linux/netdevice.h). */
const VLAN_BYTES = 4;

/** Whether a frame is longer than what a link takes; without a word, no ICMP is sent below IP. */
export function isTooLong({ mtu }: CompiledLink, { packet }: Frame): boolean {
  return packet.kind === "ip" && packet.bytes > mtu + VLAN_BYTES;
}

export function tooLong(passage: Passage, link: CompiledLink, { packet }: Frame): Fate {
  const bytes = packet.kind === "ip" ? packet.bytes : 0;
  return passage.stop(link.namespace, "mtu", {
    object: `ip link: ${link.name} mtu ${link.mtu}`,
    reason: `A packet of ${bytes} bytes is longer than ${link.name} takes, and a link drops it without a word: a black hole.`,
    remedy: `ip link set ${link.name} mtu ${bytes}, or give the senders an MTU of ${link.mtu}.`,
  });
}
