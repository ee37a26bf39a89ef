import type { NetworkState } from "../model/network-state.ts";
import type { NamespaceName } from "../model/plan.ts";
import { addressesOf, inNamespace, linkSysctl, NO_REVERSE_PATH_FILTER, quiet, type RpsCpus } from "./fragment.ts";
import { routedGuard } from "./guard.ts";
import { guestLinks, type Guest } from "./guest.ts";
import { mergeNetworkStates } from "./merge.ts";

/** Part of a lab plan that one network in routed mode is made from; its LAN is made by `companyLan`. */
export interface RoutedNetwork {
  hostNamespace: NamespaceName;
  /** The host's interface on the LAN: `eth<i>`, or `xenbr<i>` where there are bridged guests too. */
  device: string;
  /** The host's addresses on that LAN: the guests' gateway. */
  host: { address: string; address6?: string | null };
  mtu: number;
  vifs: Guest[];
  rpsCpus: RpsCpus;
}

/**
 * Routed mode: a point-to-point link and a route for each guest. The host answers ARP (and neighbour discovery) on the LAN
 * for just these guests, by proxy entries; what it answers for them is its own MAC, and it takes one off the TTL. As Xen's
 * vif-route does, it has its own address on each vif, too. Pure.
 */
export function routedNetwork(network: RoutedNetwork): NetworkState {
  const { hostNamespace, device, host, mtu, vifs, rpsCpus } = network;
  const gateway6 = host.address6 ?? null;
  const hasIpv6 = vifs.some(({ address6 = null }) => address6 !== null);
  return mergeNetworkStates([
    quiet(hostNamespace, hasIpv6),
    inNamespace(hostNamespace, { sysctls: { ...ROUTER_SYSCTLS, ...proxySysctls(device, hasIpv6) } }),
    ...guestLinks(vifs, {
      hostNamespace,
      rpsCpus,
      mtu,
      master: null,
      prefix: 32,
      prefix6: 128,
      gateway: host.address,
      gateway6,
      onLinkGateway: true,
    }),
    inNamespace(hostNamespace, {
      addresses: vifs.flatMap(({ vif, address6 = null }) =>
        // Neighbour discovery answers for addresses of the interface only.
        addressesOf(
          vif,
          { address: host.address, prefix: 32 },
          { address6: address6 === null ? null : gateway6, prefix6: 128 },
        ),
      ),
      routes: vifs.flatMap(({ vif, address, address6 = null }) => [
        { destination: `${address}/32`, via: null, link: vif },
        ...(address6 === null ? [] : [{ destination: `${address6}/128`, via: null, link: vif }]),
      ]),
      neighbours: vifs
        .flatMap(({ address, address6 = null }) => [address, ...(address6 === null ? [] : [address6])])
        .map((answered) => ({ link: device, address: answered, mac: null, proxy: true })),
      sysctls: Object.fromEntries(vifs.map(({ vif }) => [linkSysctl("ipv4.conf", vif, "send_redirects"), "0"])),
    }),
    routedGuard(hostNamespace, vifs),
  ]);
}

/** Of a host that routes. A redirect is sent if either the interface's switch or the one for all is on. */
export const ROUTER_SYSCTLS = {
  "net.ipv4.ip_forward": "1",
  "net.ipv4.conf.all.send_redirects": "0",
  "net.ipv4.conf.default.send_redirects": "0",
  ...NO_REVERSE_PATH_FILTER,
};

/** The kernel waits up to 0.8 s by itself before it answers for another. */
function proxySysctls(device: string, hasIpv6: boolean): Record<string, string> {
  return {
    [linkSysctl("ipv4.conf", device, "send_redirects")]: "0",
    [linkSysctl("ipv4.neigh", device, "proxy_delay")]: "0",
    ...(hasIpv6
      ? {
          "net.ipv6.conf.all.forwarding": "1",
          [linkSysctl("ipv6.conf", device, "proxy_ndp")]: "1",
          [linkSysctl("ipv6.neigh", device, "proxy_delay")]: "0",
        }
      : {}),
  };
}
