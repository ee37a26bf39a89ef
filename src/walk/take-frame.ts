import { bridgeTake } from "./bridge.ts";
import type { CompiledLink } from "./compiled-network.ts";
import { askedTarget, copyFrame, isGroupMac, type Frame } from "./packet.ts";
import { type Fate, type Passage, UNTAKEN } from "./passage.ts";
import { runDeviceChains } from "./run-hook.ts";
import { switchTake } from "./switch.ts";
import { mayAnswer } from "./towards.ts";

/**
 * A frame came in by a link: to a VLAN's sub-interface, else to the bridge or switch that the link is a port of, else up
 * (__netif_receive_skb_core in net/core/dev.c has this order).
 */
export function takeFrame(passage: Passage, link: CompiledLink, frame: Frame): Fate {
  const { namespace } = link;
  if (link.unmodelled !== null) return { kind: "unknown", unknown: `${namespace.name}: ${link.unmodelled}` };
  // Open vSwitch in userspace reads from a packet socket, which has its frames before these chains see them.
  if (link.ingress.length > 0 && link.switchPort === null) {
    const at = { namespace, iif: link, oif: null, frame, hasLinkHeader: true };
    const fate = runDeviceChains(passage, link.ingress, at, "ingress");
    if (fate !== null) return fate;
  }
  if (frame.vlan !== null) {
    const child = link.tagged.get(frame.vlan);
    if (child !== undefined) return untag(passage, child, frame);
  }
  if (link.switchPort !== null) return switchTake(passage, link, link.switchPort, frame);
  if (link.master !== null) return bridgeTake(passage, link, link.master, frame);
  if (frame.vlan !== null && passage.network.follows("vlan-tags")) return strangeTag(passage, link, frame);
  if (!isForMe(link, frame) && passage.network.follows("own-mac")) return UNTAKEN;
  const { packet } = frame;
  if (packet.kind === "arp") return passage.layers.takeArp(passage, link, frame, packet);
  return passage.layers.takeIp(passage, link, frame, packet);
}

/** vlan_do_receive in net/8021q/vlan_core.c. */
function untag(passage: Passage, child: CompiledLink, frame: Frame): Fate {
  const { namespace } = child;
  if (!child.up && passage.network.follows("links-up")) {
    return passage.stop(namespace, "link-down", {
      object: `ip link: ${child.name} state DOWN`,
      reason: `The VLAN interface ${child.name} is down.`,
      remedy: `ip link set ${child.name} up`,
    });
  }
  passage.tell?.(
    namespace,
    "untag",
    `${child.name}: vlan id ${frame.vlan}`,
    `loses its tag ${frame.vlan} and enters ${child.name}`,
  );
  const untagged = copyFrame(frame, frame.packet);
  untagged.vlan = null;
  return takeFrame(passage, child, untagged);
}

/** A tag that no sub-interface stands for makes it somebody else's packet. */
function strangeTag(passage: Passage, link: CompiledLink, frame: Frame): Fate {
  const target = askedTarget(frame);
  const isMeant = target === null ? isForMe(link, frame) : mayAnswer(passage.network, link.namespace, target);
  if (!isMeant) return UNTAKEN;
  return passage.stop(link.namespace, "vlan-mismatch", {
    object: `ip -d link: ${link.name}, no sub-interface with vlan id ${frame.vlan}`,
    reason: `The frame has the tag ${frame.vlan}, and ${link.name} takes none with it.`,
    remedy: `Put ${link.name}'s machine into VLAN ${frame.vlan} at its switch port, or the sender out of it.`,
  });
}

/** eth_type_trans: to its own MAC, or to all. */
export function isForMe(link: CompiledLink, { destination }: Frame): boolean {
  return destination === link.mac || isGroupMac(destination) || link.kind === "loopback";
}
