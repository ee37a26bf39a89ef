import type { CompiledNamespace } from "./compiled-network.ts";
import type { Connection } from "./connection.ts";
import { ip, type Ip } from "./ip-address.ts";
import type { Scene, Translation } from "./nft/chain.ts";
import type { IpPacket } from "./packet.ts";
import type { Passage } from "./passage.ts";
import { selectAddress, selectAddress6 } from "./routing.ts";

type End = "source" | "destination";

/**
 * Decides what a connection is translated to, by the statement that its first packet met. false: there is no address to
 * translate to, and the packet is dropped (nf_nat_masquerade_ipv4, nf_nat_redirect).
 */
export function decide(
  passage: Passage,
  connection: Connection,
  end: End,
  { verb, address, port }: Translation,
  scene: Scene,
): boolean {
  // A rule that is switched off leaves everything as it is.
  if (!passage.network.follows(verb)) return true;
  const { packet } = scene.frame;
  if (packet.kind !== "ip") return true;
  const connections = passage.connectionsOf(scene.namespace);
  const to = verb === "masquerade" || verb === "redirect" ? ownAddress(verb, scene, packet) : address;
  if (to === null && (verb === "masquerade" || verb === "redirect")) return false;
  connection.translated[end] = true;
  if (end === "destination") {
    connections.expect(connection, {
      source: to ?? connection.reply.source,
      sourcePort: port ?? connection.reply.sourcePort,
    });
  } else {
    connections.expect(connection, {
      destination: to ?? connection.reply.destination,
      destinationPort: port ?? connection.reply.destinationPort,
    });
  }
  return true;
}

function ownAddress(verb: "masquerade" | "redirect", scene: Scene, { source, destination }: IpPacket): Ip | null {
  if (verb === "masquerade") {
    const { oif, nextHop } = scene;
    if (oif === null) return null;
    return source.family === 4
      ? selectAddress(oif, nextHop ?? destination, "global")
      : selectAddress6(oif, destination);
  }
  if (scene.hook === "output") return source.family === 4 ? ip("127.0.0.1") : ip("::1");
  return scene.iif?.addresses.find(({ ip: own }) => own.family === source.family)?.ip ?? null;
}

/**
 * Rewrites the packet as its connection says. At the hooks of the destination (prerouting, output) an answer gets back the
 * sender that was translated away, at those of the source the destination (nf_nat_packet).
 */
export function translate(
  passage: Passage,
  namespace: CompiledNamespace,
  end: End,
  { connection, inReply }: { connection: Connection; inReply: boolean },
  packet: IpPacket,
): void {
  const { original, reply, translated } = connection;
  const before = packet[end];
  const portName = `${end}Port` as const;
  const portBefore = packet[portName];
  if (inReply) {
    const other = end === "source" ? "destination" : "source";
    if (!translated[other] || !passage.network.follows("conntrack-reply")) return;
    packet[end] = original[other];
    packet[portName] = original[`${other}Port`];
  } else {
    if (!translated[end]) return;
    const other = end === "source" ? "destination" : "source";
    packet[end] = reply[other];
    packet[portName] = reply[`${other}Port`];
  }
  if (packet[end] === before && packet[portName] === portBefore) return;
  const withPort = (address: Ip, port: number) => (port === 0 ? address.text : `${address.text} port ${port}`);
  passage.tell?.(
    namespace,
    "translate",
    `conntrack: ${original.protocol} src=${original.source.text} dst=${original.destination.text} → src=${reply.source.text} dst=${reply.destination.text}`,
    `its ${end} ${withPort(before, portBefore)} becomes ${withPort(packet[end], packet[portName])}`,
  );
}
