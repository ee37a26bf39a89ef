import type { CompiledLink } from "./compiled-network.ts";
import { isTooLong, tooLong } from "./frame-length.ts";
import { askedTarget, copyFrame, copyPacket, isGroupMac, type Frame } from "./packet.ts";
import { better, type Fate, type Passage, UNTAKEN } from "./passage.ts";
import { runHook } from "./run-hook.ts";
import { mayAnswer, portsTowards } from "./towards.ts";

/** More bridges in a row than any lab has: the frame goes round in a loop. */
const MOST_CROSSED = 12;

/** A frame came in by a port of a bridge (br_handle_frame and br_handle_frame_finish in net/bridge/br_input.c). */
export function bridgeTake(passage: Passage, port: CompiledLink, bridge: CompiledLink, frame: Frame): Fate {
  const { namespace } = bridge;
  if (frame.crossed >= MOST_CROSSED) {
    return { kind: "unknown", unknown: `${namespace.name}: bridge ${bridge.name} is part of a loop` };
  }
  if (!bridge.up && passage.network.follows("links-up")) {
    return passage.stop(namespace, "link-down", {
      object: `ip link: ${bridge.name} state DOWN`,
      reason: `The bridge ${bridge.name} is down, and so it forwards nothing.`,
      remedy: `ip link set ${bridge.name} up`,
    });
  }
  const entering = copyFrame(frame, frame.packet);
  entering.crossed++;
  const dropped = runHook(passage, "bridge", "prerouting", {
    namespace,
    iif: port,
    oif: null,
    frame: entering,
    hasLinkHeader: true,
  });
  if (dropped !== null) return dropped;
  let fate = UNTAKEN;
  if (goesUp(passage, port, bridge, entering)) fate = passUp(passage, port, bridge, entering);
  // A unicast frame to the bridge itself goes nowhere else.
  if (!isGroupMac(frame.destination) && isOwnMac(bridge, frame.destination)) return fate;
  return better(fate, flood(passage, bridge, port, entering));
}

/** The machine itself sends through its bridge (br_dev_xmit in net/bridge/br_device.c). */
export function bridgeSend(passage: Passage, bridge: CompiledLink, frame: Frame): Fate {
  const leaving = copyFrame(frame, frame.packet);
  leaving.crossed++;
  leaving.prerouted = false;
  return flood(passage, bridge, null, leaving);
}

/** To all other ports; where the bridge has learned who is where, to one of them, which is the only one that matters. */
function flood(passage: Passage, bridge: CompiledLink, from: CompiledLink | null, frame: Frame): Fate {
  let fate = UNTAKEN;
  for (const port of portsTowards(passage.network, bridge.ports, bridge.towards, frame)) {
    if (port === from) continue;
    // Bridge-netfilter may rewrite a packet on its way to one port.
    const { packet } = frame;
    const copy = frame.prerouted && packet.kind === "ip" ? copyFrame(frame, copyPacket(packet)) : frame;
    fate = better(fate, forward(passage, bridge, from, port, copy));
  }
  return fate;
}

/** br_forward and br_dev_queue_push_xmit in net/bridge/br_forward.c. */
function forward(
  passage: Passage,
  bridge: CompiledLink,
  from: CompiledLink | null,
  port: CompiledLink,
  frame: Frame,
): Fate {
  const { namespace } = bridge;
  const { follows } = passage.network;
  passage.tell?.(
    namespace,
    "bridge",
    `${bridge.name}: ${port.name}`,
    `${bridge.name} passes it from ${from?.name ?? "the machine itself"} to ${port.name}`,
  );
  if (from?.isolated === true && port.isolated && follows("isolated-ports")) {
    return passage.stop(namespace, "port-isolated", {
      object: `bridge -d link: ${port.name} master ${bridge.name} isolated on`,
      reason: `${from.name} and ${port.name} are both isolated ports of ${bridge.name}, which reach no isolated port.`,
      remedy: `bridge link set dev ${port.name} isolated off`,
    });
  }
  const at = { namespace, iif: from, oif: port, frame, hasLinkHeader: true };
  const dropped =
    runHook(passage, "bridge", from === null ? "output" : "forward", at) ??
    runHook(passage, "bridge", "postrouting", { ...at, iif: null });
  if (dropped !== null) return dropped;
  if (isTooLong(port, frame) && follows("frame-mtu")) return tooLong(passage, port, frame);
  return passage.layers.sendFrame(passage, port, frame);
}

function goesUp(passage: Passage, port: CompiledLink, bridge: CompiledLink, frame: Frame): boolean {
  if (bridge.tagged.size > 0 && frame.vlan !== null) return true;
  const target = askedTarget(frame);
  if (isGroupMac(frame.destination)) return target === null || mayAnswer(passage.network, bridge.namespace, target);
  // To another port's MAC it goes up too, but is somebody else's there, unless the MACs are the same.
  return frame.destination === bridge.mac || frame.destination === port.mac;
}

function isOwnMac(bridge: CompiledLink, mac: string): boolean {
  return bridge.mac === mac || bridge.ports.some((port) => port.mac === mac);
}

/** br_pass_frame_up: the bridge is the interface from here on, and the frame is for this machine. */
function passUp(passage: Passage, port: CompiledLink, bridge: CompiledLink, frame: Frame): Fate {
  const { namespace } = bridge;
  const { packet } = frame;
  const copy = copyFrame(frame, packet.kind === "ip" ? copyPacket(packet) : packet);
  const dropped = runHook(passage, "bridge", "input", {
    namespace,
    iif: port,
    oif: null,
    frame: copy,
    hasLinkHeader: true,
  });
  if (dropped !== null) return dropped;
  if (!isGroupMac(frame.destination)) copy.destination = bridge.mac;
  return passage.layers.takeFrame(passage, bridge, copy);
}
