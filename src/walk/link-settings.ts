import type { CompiledNamespace, LinkSettings } from "./compiled-network.ts";

/**
 * Sysctls of an interface as the kernel combines them with `all` (include/linux/inetdevice.h: IN_DEV_MAXCONF, IN_DEV_ORCONF,
 * IN_DEV_ANDCONF). What the state does not name has the value of a new kernel.
 */
export function linkSettings(sysctl: CompiledNamespace["sysctl"], name: string): LinkSettings {
  // sysctl.d(5): a slash stands for a dot within a name.
  const part = name.replaceAll(".", "/");
  const own = (version: 4 | 6, key: string) => number(sysctl(`net.ipv${version}.conf.${part}.${key}`));
  const all = (version: 4 | 6, key: string) => number(sysctl(`net.ipv${version}.conf.all.${key}`));
  const most = (key: string) => Math.max(own(4, key) ?? 0, all(4, key) ?? 0);
  const either = (key: string) => most(key) !== 0;
  // Writing `ip_forward` sets `all` and every interface (devinet_sysctl_forward).
  const forwarding = own(4, "forwarding") ?? all(4, "forwarding") ?? number(sysctl("net.ipv4.ip_forward")) ?? 0;
  return {
    forwarding: forwarding !== 0,
    rpFilter: most("rp_filter"),
    arpIgnore: most("arp_ignore"),
    arpAnnounce: most("arp_announce"),
    arpFilter: either("arp_filter"),
    proxyArp: either("proxy_arp"),
    proxyArpPvlan: (own(4, "proxy_arp_pvlan") ?? 0) !== 0,
    acceptLocal: either("accept_local"),
    routeLocalnet: either("route_localnet"),
    // Writing `all` sets every interface (addrconf_disable_ipv6).
    ipv6: (own(6, "disable_ipv6") ?? all(6, "disable_ipv6") ?? 0) === 0,
    forwarding6: (own(6, "forwarding") ?? all(6, "forwarding") ?? 0) !== 0,
    proxyNdp: (own(6, "proxy_ndp") ?? 0) !== 0 || (all(6, "proxy_ndp") ?? 0) !== 0,
  };
}

function number(value: string | undefined): number | null {
  return value === undefined ? null : Number(value);
}
