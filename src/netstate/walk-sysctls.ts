const GLOBAL = [
  "net.ipv4.ip_forward",
  "net.ipv4.ip_default_ttl",
  "net.ipv4.icmp_echo_ignore_all",
  "net.bridge.bridge-nf-call-iptables",
  "net.bridge.bridge-nf-call-ip6tables",
  "net.bridge.bridge-nf-call-arptables",
];

const IPV4 = [
  "forwarding",
  "rp_filter",
  "arp_ignore",
  "arp_filter",
  "arp_announce",
  "proxy_arp",
  "proxy_arp_pvlan",
  "accept_local",
  "send_redirects",
];

const IPV6 = ["disable_ipv6", "forwarding", "proxy_ndp"];

/** All sysctls that decide over packets and that walks know, for a namespace with these links. */
export function walkSysctls(links: readonly string[]): string[] {
  const perLink = ["all", ...links].flatMap((link) => {
    const part = sysctlPart(link);
    return [
      ...IPV4.map((name) => `net.ipv4.conf.${part}.${name}`),
      ...IPV6.map((name) => `net.ipv6.conf.${part}.${name}`),
    ];
  });
  return [...GLOBAL, ...perLink, ...links.map((link) => `net.ipv4.neigh.${sysctlPart(link)}.proxy_delay`)];
}

/** `vif1.0` is `vif1/0` in names of sysctls, as in sysctl.d(5). */
function sysctlPart(link: string): string {
  return link.replaceAll(".", "/");
}
