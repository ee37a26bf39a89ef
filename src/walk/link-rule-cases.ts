import { drop, match, rule, table, Wiring } from "./fixture.ts";
import type { RuleCase } from "./rule-case.ts";
import { pair, bridged, proxied, access, pairAt } from "./wirings.ts";

/** Networks in which the rules about frames and neighbours matter, each. */
export const LINK_RULE_CASES = {
  "links-up": {
    about: "a bridge's port is down",
    wiring: () => bridged().change("sw/p2", { up: false }),
    ask: ["a", "10.0.0.2"],
    followed: "link-down",
    ignored: "reachable",
  },
  "own-mac": {
    about: "a frame for another's MAC",
    wiring: () => pair({ neighbours: ["10.0.0.2 dev eth0 lladdr 02:00:00:00:00:99"] }),
    ask: ["a", "10.0.0.2"],
    followed: "wrong-neighbour",
    ignored: "reachable",
  },
  "frame-mtu": {
    about: "a bridge's port with a small MTU",
    wiring: () => bridged().change("sw/p2", { mtu: 1000 }),
    ask: ["a", "10.0.0.2", "icmp", { size: 1400 }],
    followed: "mtu",
    ignored: "reachable",
  },
  "isolated-ports": {
    about: "both ports of the bridge are isolated",
    wiring: () => bridged().change("sw/p1", { isolated: true }).change("sw/p2", { isolated: true }),
    ask: ["a", "10.0.0.2"],
    followed: "port-isolated",
    ignored: "reachable",
  },
  "bridge-chains": {
    about: "the bridge family's chains",
    wiring: () => bridged({ tables: [table("bridge", "forward", [rule(match("oifname", "p2"), drop)])] }),
    ask: ["a", "10.0.0.2"],
    followed: "nft-rule",
    ignored: "reachable",
  },
  "bridge-netfilter": {
    about: "IP's chains see bridged packets",
    wiring: () =>
      bridged({
        sysctls: { "net.bridge.bridge-nf-call-iptables": "1" },
        tables: [table("inet", "forward", [rule(match("iifname", "br0"), drop)])],
      }),
    ask: ["a", "10.0.0.2"],
    followed: "nft-rule",
    ignored: "reachable",
  },
  "vlan-tags": {
    about: "one end tags its frames, the other does not",
    wiring: () =>
      new Wiring()
        .machine("a", { addresses: ["eth0.2 10.0.0.1/24"] })
        .machine("b", { addresses: ["eth0 10.0.0.2/24"] })
        .wire("a/eth0", "b/eth0")
        .vlan("a/eth0.2", "eth0", 2),
    ask: ["a", "10.0.0.2"],
    followed: "vlan-mismatch",
    ignored: "no-neighbour",
  },
  "switch-vlans": {
    about: "access ports of different VLANs",
    wiring: () => pairAt("sw", (wiring) => wiring.switch("sw/ovs0", [access("p1", 2), access("p2", 3)])),
    ask: ["a", "10.0.0.2"],
    followed: "vlan-mismatch",
    ignored: "reachable",
  },
  "switch-guards": {
    about: "a switch's port whose guard knows another address",
    wiring: () =>
      pairAt("sw", (wiring) =>
        wiring.switch("sw/ovs0", [
          access("p1", 2, { mac: wiring.link("a/eth0").mac ?? "", addresses: ["10.0.0.7"] }),
          access("p2", 2),
        ]),
      ),
    ask: ["a", "10.0.0.2"],
    followed: "spoof-guard",
    ignored: "reachable",
  },
  "device-chains": {
    about: "a foreign chain at a device's ingress",
    wiring: () => pair({}, { tables: [table("netdev", "ingress", [rule(drop)], { device: "eth0" })] }),
    ask: ["a", "10.0.0.2"],
    followed: "nft-rule",
    ignored: "reachable",
  },
  "arp-chains": {
    about: "the arp family's chains",
    wiring: () => pair({}, { tables: [table("arp", "input", [rule(match("arp operation", "request"), drop)])] }),
    ask: ["a", "10.0.0.2"],
    followed: "nft-rule",
    ignored: "reachable",
  },
  "arp-ignore": {
    about: "the address is on another interface",
    wiring: () =>
      pair(
        { routes: ["10.9.0.1 dev eth0"] },
        { addresses: ["eth0 10.0.0.2/24", "lo 10.9.0.1/32"], sysctls: { "net.ipv4.conf.all.arp_ignore": "1" } },
      ),
    ask: ["a", "10.9.0.1", "arp"],
    followed: "no-neighbour",
    ignored: "reachable",
  },
  "arp-filter": {
    about: "the way back is another interface",
    wiring: () =>
      pair(
        {},
        {
          addresses: ["eth0 10.0.0.2/24", "eth1 10.0.1.2/24"],
          routes: ["10.0.0.1 dev eth1"],
          sysctls: { "net.ipv4.conf.eth0.arp_filter": "1" },
        },
      )
        .machine("c")
        .wire("b/eth1", "c/eth0"),
    ask: ["a", "10.0.0.2", "arp"],
    followed: "no-neighbour",
    ignored: "reachable",
  },
  "arp-announce": {
    about: "which sender a question for a MAC has",
    wiring: () =>
      pair(
        {
          addresses: ["eth0 10.0.0.1/24", "lo 10.9.0.1/32"],
          routes: ["10.0.0.2 dev eth0 src 10.9.0.1"],
          sysctls: { "net.ipv4.conf.all.arp_announce": "2" },
        },
        {
          routes: ["10.9.0.1 via 10.0.0.1 dev eth0"],
          tables: [table("arp", "input", [rule(match("arp saddr ip", "10.9.0.1"), drop)])],
        },
      ),
    ask: ["a", "10.0.0.2"],
    followed: "reachable",
    ignored: "nft-rule",
  },
  "arp-route-check": {
    about: "rp_filter counts for ARP, too",
    wiring: () =>
      pair(
        {},
        {
          addresses: ["eth0 10.0.0.2/24", "eth1 10.0.1.2/24"],
          routes: ["10.0.0.1 dev eth1"],
          sysctls: { "net.ipv4.conf.all.rp_filter": "1" },
        },
      )
        .machine("c")
        .wire("b/eth1", "c/eth0"),
    ask: ["a", "10.0.0.2", "arp"],
    followed: "reverse-path",
    ignored: "reachable",
  },
  "proxy-neighbour": {
    about: "a router answers for one address",
    wiring: () => proxied({ neighbours: ["10.1.0.2 dev eth0 proxy"] }),
    ask: ["a", "10.1.0.2"],
    followed: "reachable",
    ignored: "no-neighbour",
  },
  "proxy-arp": {
    about: "a router answers for all that it routes",
    wiring: () => proxied({ sysctls: { "net.ipv4.ip_forward": "1", "net.ipv4.conf.eth0.proxy_arp": "1" } }),
    ask: ["a", "10.1.0.2"],
    followed: "reachable",
    ignored: "no-neighbour",
  },
  "proxy-ndp": {
    about: "a router answers neighbour discovery for one address",
    wiring: () =>
      new Wiring()
        .machine("a", { addresses: ["eth0 fd00::1/64"] })
        .machine("r", {
          addresses: ["eth0 fd00::fe/64"],
          routes: ["fd00::2/128 dev eth1"],
          neighbours: ["fd00::2 dev eth0 proxy"],
          sysctls: { "net.ipv6.conf.all.forwarding": "1", "net.ipv6.conf.eth0.proxy_ndp": "1" },
        })
        .machine("b", { addresses: ["eth0 fd00::2/128"], routes: ["::/0 via fd00::fe dev eth0 onlink"] })
        .wire("a/eth0", "r/eth0")
        .wire("b/eth0", "r/eth1", {})
        .machineAddress("r", "eth1 fd00::fe/128"),
    ask: ["a", "fd00::2"],
    followed: "reachable",
    ignored: "no-neighbour",
  },
  "neighbour-entries": {
    about: "a permanent entry is used, and nobody asked",
    wiring: () => pair({ neighbours: ["10.0.0.2 dev eth0 lladdr 02:00:00:00:00:99"] }),
    ask: ["a", "10.0.0.2"],
    followed: "wrong-neighbour",
    ignored: "reachable",
  },
  "learning-from-requests": {
    about: "who is asked learns who asks",
    wiring: () => pair({ tables: [table("arp", "input", [rule(match("arp operation", "request"), drop)])] }),
    ask: ["a", "10.0.0.2"],
    followed: "reachable",
    ignored: "nft-rule",
  },
  "duplicate-address": {
    about: "two machines have the address",
    wiring: () =>
      new Wiring()
        .machine("a", { addresses: ["eth0 10.0.0.1/24"] })
        .machine("b", { addresses: ["eth0 10.0.0.2/24"] })
        .machine("c", { addresses: ["eth0 10.0.0.2/24"] })
        .hub("sw", ["a/eth0", "b/eth0", "c/eth0"]),
    ask: ["a", "10.0.0.2"],
    followed: "duplicate-address",
    ignored: "reachable",
  },
} satisfies Record<string, RuleCase>;
