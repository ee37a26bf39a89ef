import { bridgeSend } from "./bridge.ts";
import type { CompiledLink } from "./compiled-network.ts";
import { isTooLong, tooLong } from "./frame-length.ts";
import { copyFrame, copyPacket, type Frame } from "./packet.ts";
import { type Fate, type Passage, UNTAKEN } from "./passage.ts";
import { runDeviceChains } from "./run-hook.ts";

/** A frame leaves by a link, as the kind of link does it (ndo_start_xmit). */
export function sendFrame(passage: Passage, link: CompiledLink, frame: Frame): Fate {
  const { namespace } = link;
  const { follows } = passage.network;
  if (link.unmodelled !== null) return { kind: "unknown", unknown: `${namespace.name}: ${link.unmodelled}` };
  if (!link.up && follows("links-up")) return linkDown(passage, link);
  if (link.egress.length > 0) {
    const at = { namespace, iif: null, oif: link, frame, hasLinkHeader: true };
    const fate = runDeviceChains(passage, link.egress, at, "egress");
    if (fate !== null) return fate;
  }
  switch (link.kind) {
    case "veth":
    // What a guest's kernel receives has passed no other kernel's conntrack either.
    case "tap":
    case "vif":
    case "nic":
      return overVeth(passage, link, frame);
    case "bridge":
      return bridgeSend(passage, link, frame);
    case "vlan": {
      if (link.vlan === null) {
        return { kind: "unknown", unknown: `${namespace.name}: link ${link.name}: its parent is not known` };
      }
      const { parent, id } = link.vlan;
      passage.tell?.(
        namespace,
        "tag",
        `${link.name}@${parent.name}: vlan id ${id}`,
        `gets the tag ${id} and leaves by ${parent.name}`,
      );
      const tagged = copyFrame(frame, frame.packet);
      tagged.vlan = follows("vlan-tags") ? id : null;
      return sendFrame(passage, parent, tagged);
    }
    case "loopback":
      return passage.layers.takeFrame(passage, link, frame);
    case "switch-port":
      // The switch's own port is down and unused.
      return UNTAKEN;
    default:
      return { kind: "unknown", unknown: `${namespace.name}: link ${link.name} is of a kind that is not modelled` };
  }
}

/** veth_xmit and veth_forward_skb in drivers/net/veth.c: the other end must be up and its MTU large enough. */
function overVeth(passage: Passage, link: CompiledLink, frame: Frame): Fate {
  const { namespace, peer } = link;
  const { follows } = passage.network;
  if (peer === null)
    return { kind: "unknown", unknown: `${namespace.name}: link ${link.name}: its other end is not known` };
  if (!peer.up && follows("links-up")) return linkDown(passage, peer);
  if (isTooLong(peer, frame) && follows("frame-mtu")) return tooLong(passage, peer, frame);
  const { packet } = frame;
  if (packet.kind === "arp") return passage.layers.takeFrame(passage, peer, frame);
  // Leaving through a veth forgets conntrack, and entering another namespace the mark (skb_scrub_packet).
  const copy = copyPacket(packet);
  copy.tracked = null;
  if (peer.namespace !== namespace) copy.mark = 0;
  const entering = copyFrame(frame, copy);
  entering.prerouted = false;
  return passage.layers.takeFrame(passage, peer, entering);
}

function linkDown(passage: Passage, link: CompiledLink): Fate {
  return passage.stop(link.namespace, "link-down", {
    object: `ip link: ${link.name} state DOWN`,
    reason: `The interface ${link.name} is down.`,
    remedy: `ip link set ${link.name} up`,
  });
}
