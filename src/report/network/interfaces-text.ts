import type { Link, NamespaceState, NetworkState } from "../../model/network-state.ts";
import { isIpv4, maskText, networkRange } from "./ipv4.ts";

/** The interfaces as `ifconfig -a` of net-tools 1.60 lists them, which is what the study of 2009 shows in its figures. */
export function interfacesText(state: NetworkState): string {
  return Object.entries(state)
    .map(([namespace, one]) => `${namespace}\n\n${one.links.map((link) => interfaceText(link, one)).join("\n\n")}`)
    .join("\n\n");
}

function interfaceText(link: Link, state: NamespaceState): string {
  const loopback = link.kind === "loopback";
  const head = loopback ? "Link encap:Local Loopback" : `Link encap:Ethernet  HWaddr ${(link.mac ?? "").toUpperCase()}`;
  const own = loopback
    ? [{ address: "127.0.0.1", prefix: 8 }]
    : state.addresses.filter((address) => address.link === link.name);
  const addresses = own.map(({ address, prefix }) => {
    if (!isIpv4(address)) return `inet6 addr: ${address}/${prefix} Scope:Global`;
    const broadcast = loopback || prefix >= 31 ? "" : `  Bcast:${networkRange(address, prefix).broadcast}`;
    return `inet addr:${address}${broadcast}  Mask:${maskText(prefix)}`;
  });
  const flags = [
    ...(link.up ? ["UP"] : []),
    loopback ? "LOOPBACK" : "BROADCAST",
    ...(link.up ? ["RUNNING"] : []),
    ...(loopback ? [] : ["MULTICAST"]),
  ].join(" ");
  const lines = [head, ...addresses, `${flags}  MTU:${link.mtu}  Metric:1`];
  return lines.map((line, i) => `${(i === 0 ? link.name : "").padEnd(9)} ${line}`).join("\n");
}
