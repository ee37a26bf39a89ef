import type { CompiledLink, CompiledSwitchPort } from "./compiled-network.ts";
import { isLinkLocal6, isUnspecified } from "./ip-address.ts";
import { copyFrame, NEIGHBOUR_ADVERT, NEIGHBOUR_SOLICIT, type Frame } from "./packet.ts";
import { better, type Fate, type Passage, UNTAKEN } from "./passage.ts";
import { portsTowards } from "./towards.ts";

/** A frame came in by a port of Open vSwitch: the action `normal`, per VLAN (ovs-actions(7), ovs-vswitchd.conf.db(5) on `vlan_mode`). */
export function switchTake(passage: Passage, link: CompiledLink, port: CompiledSwitchPort, frame: Frame): Fate {
  const { namespace } = link;
  const vlan = passage.network.follows("switch-vlans") ? vlanOf(port, frame) : (frame.vlan ?? 0);
  if (vlan === null) {
    const tag = frame.vlan === null ? "no tag" : `the tag ${frame.vlan}`;
    return passage.stop(namespace, "vlan-mismatch", {
      object: `ovs-vsctl list port ${link.name}: ${portText(port)}`,
      reason: `The frame enters ${port.switchName} with ${tag}, which ${link.name} does not take.`,
      remedy: `ovs-vsctl set port ${link.name} ${frame.vlan === null ? "tag=VLAN" : `trunks=${frame.vlan}`}`,
    });
  }
  if (!isAllowed(port, frame) && passage.network.follows("switch-guards")) {
    return passage.stop(namespace, "spoof-guard", {
      object: `ovs-ofctl dump-flows ${port.switchName}: in_port=${link.name}, dl_src=${port.guard?.mac ?? ""}, ${port.guard?.addresses.join(", ") ?? ""}`,
      reason: "The switch's anti-spoofing flows drop it: its sender is not who lives behind the port.",
      remedy: "Send from the address and MAC that the lab gave to the interface, or switch its anti-spoofing off.",
    });
  }
  let fate = UNTAKEN;
  for (const out of portsTowards(passage.network, port.ports, port.towards, frame)) {
    if (out === link || out.switchPort === null) continue;
    fate = better(fate, leave(passage, link, out, out.switchPort, vlan, frame));
  }
  return fate;
}

function leave(
  passage: Passage,
  from: CompiledLink,
  link: CompiledLink,
  port: CompiledSwitchPort,
  vlan: number,
  frame: Frame,
): Fate {
  const carries = "access" in port.vlan ? port.vlan.access === vlan : port.vlan.trunk.includes(vlan);
  if (!carries && passage.network.follows("switch-vlans")) {
    return passage.stop(link.namespace, "vlan-mismatch", {
      object: `ovs-vsctl list port ${link.name}: ${portText(port)}`,
      reason: `The frame is in VLAN ${vlan}, and ${link.name} carries ${portText(port)} only.`,
      remedy: `ovs-vsctl set port ${link.name} ${"access" in port.vlan ? `tag=${vlan}` : `trunks=${[...port.vlan.trunk, vlan].join(",")}`}`,
    });
  }
  passage.tell?.(
    link.namespace,
    "switch",
    `${port.switchName}: ${link.name} ${portText(port)}`,
    `${port.switchName} passes it from ${from.name} to ${link.name} in VLAN ${vlan}`,
  );
  const leaving = copyFrame(frame, frame.packet);
  leaving.crossed++;
  leaving.vlan = "access" in port.vlan ? null : vlan;
  return passage.layers.sendFrame(passage, link, leaving);
}

/** In which VLAN a frame enters; null: in none. A trunk without a native VLAN takes tagged frames only. */
function vlanOf({ vlan }: CompiledSwitchPort, frame: Frame): number | null {
  if ("access" in vlan) return frame.vlan === null ? vlan.access : null;
  return frame.vlan !== null && vlan.trunk.includes(frame.vlan) ? frame.vlan : null;
}

function portText({ vlan }: CompiledSwitchPort): string {
  return "access" in vlan ? `tag=${vlan.access}` : `trunks=${vlan.trunk.join(",")}`;
}

const DHCP_SERVER = 67;

function isAllowed({ guard }: CompiledSwitchPort, { source, packet }: Frame): boolean {
  if (guard === null) return true;
  if (source !== guard.mac) return false;
  if (packet.kind === "arp") {
    return packet.senderMac === guard.mac && (isUnspecified(packet.sender) || guard.ips.has(packet.sender));
  }
  if (guard.ips.has(packet.source)) return true;
  if (isUnspecified(packet.source) && packet.protocol === "udp") return packet.destinationPort === DHCP_SERVER;
  const isDiscovery = packet.icmpType === NEIGHBOUR_SOLICIT || packet.icmpType === NEIGHBOUR_ADVERT;
  return packet.protocol === "icmpv6" && isDiscovery && (isLinkLocal6(packet.source) || isUnspecified(packet.source));
}
