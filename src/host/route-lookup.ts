import { addressBytes, addressText } from "./netlink-address.ts";
import { MessageWriter, NLM_F_REQUEST, NLMSG_ERROR, readAttributes, readMessages } from "./netlink-message.ts";
import { RTA_DST, RTA_GATEWAY, RTA_OIF, RTM_GETROUTE } from "./netlink-constants.ts";
import { NETLINK_ROUTE, openNetlinkTransport } from "./netlink-transport.ts";

const RTA_PREFSRC = 7;

/** Where the kernel would send a packet, as `ip route get` tells. */
export interface FoundRoute {
  linkIndex: number;
  via: string | null;
  source: string | null;
  /** RTN_UNICAST 1, RTN_LOCAL 2, … */
  type: number;
}

/** Asks the kernel of the namespace that the calling thread is in for its way to each address; null: none. */
export function lookUpRoutes(addresses: readonly string[]): (FoundRoute | null)[] {
  const transport = openNetlinkTransport(NETLINK_ROUTE);
  try {
    return addresses.map((address, i) => {
      transport.send(routeRequest(address, i + 1));
      for (;;) {
        const found = foundRoute(transport.receive(), i + 1);
        if (found !== undefined) return found;
      }
    });
  } finally {
    transport.close();
  }
}

/** Asks for the way to an address (rtnetlink(7)). */
export function routeRequest(address: string, sequence: number): Uint8Array {
  const { family, bytes } = addressBytes(address);
  const out = new MessageWriter();
  out.begin(RTM_GETROUTE, NLM_F_REQUEST, sequence);
  out.u8(family);
  out.u8(bytes.length * 8);
  out.zeros(10);
  out.attribute(RTA_DST, bytes);
  out.end();
  return out.bytes();
}

/** The way that a datagram of the kernel tells; null: none; undefined: it answers another question. */
export function foundRoute(datagram: Buffer, sequence: number): FoundRoute | null | undefined {
  for (const message of readMessages(datagram)) {
    if (message.sequence !== sequence) continue;
    // Whatever the error says (ENETUNREACH, EHOSTUNREACH, EACCES, EINVAL): there is no way.
    return message.type === NLMSG_ERROR ? null : decode(message.payload);
  }
  return undefined;
}

function decode(payload: Buffer): FoundRoute | null {
  const attributes = readAttributes(payload, 12);
  const link = attributes.get(RTA_OIF);
  const gateway = attributes.get(RTA_GATEWAY);
  const source = attributes.get(RTA_PREFSRC);
  if (link === undefined) return null;
  return {
    linkIndex: link.readUInt32LE(0),
    via: gateway === undefined ? null : addressText(gateway),
    source: source === undefined ? null : addressText(source),
    type: payload.readUInt8(7),
  };
}
