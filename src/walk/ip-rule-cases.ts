import { accept, drop, match, rule, table, Wiring } from "./fixture.ts";
import type { RuleCase } from "./rule-case.ts";
import { pair, routed, nat, masquerading } from "./wirings.ts";

/** Networks in which the rules about IP packets matter, each. */
export const IP_RULE_CASES = {
  "longest-prefix": {
    about: "the more exact of two routes",
    wiring: () => routed({}, { aRoutes: ["default via 10.0.0.77 dev eth0", "10.1.0.0/16 via 10.0.0.254 dev eth0"] }),
    ask: ["a", "10.1.0.2"],
    followed: "reachable",
    ignored: "not-listening-here",
  },
  "preferred-source": {
    about: "the route names the sender",
    wiring: () =>
      pair(
        { addresses: ["eth0 10.0.0.1/24", "lo 10.9.0.1/32"], routes: ["10.0.0.2 dev eth0 src 10.9.0.1"] },
        { routes: ["10.9.0.1 via 10.0.0.1 dev eth0"] },
      ),
    ask: ["a", "10.0.0.2"],
    look: ({ seenSource }) => seenSource,
    followed: "10.9.0.1",
    ignored: "10.0.0.1",
  },
  "weak-host": {
    about: "an address of another interface of the machine",
    wiring: () => routed({ sysctls: {} }),
    ask: ["a", "10.1.0.254"],
    followed: "reachable",
    ignored: "not-forwarding",
  },
  forwarding: {
    about: "a machine that forwards nothing",
    wiring: () => routed({ sysctls: { "net.ipv4.ip_forward": "0" } }),
    ask: ["a", "10.1.0.2"],
    followed: "not-forwarding",
    ignored: "reachable",
  },
  "rp-filter": {
    about: "strict reverse path",
    wiring: () =>
      routed({
        sysctls: { "net.ipv4.ip_forward": "1", "net.ipv4.conf.eth0.rp_filter": "1" },
        neighbours: ["10.0.0.1 dev eth0 lladdr 02:00:00:00:00:01"],
      }).machineAddress("a", "eth0 10.3.0.1/24", "10.1.0.2 via 10.0.0.254 dev eth0 src 10.3.0.1"),
    ask: ["a", "10.1.0.2"],
    look: ({ stop }) => stop?.cause === "reverse-path",
    followed: true,
    ignored: false,
  },
  "martian-source": {
    about: "the sender is the receiver's own address",
    wiring: () =>
      pair(
        { addresses: ["eth0 10.0.0.1/24", "lo 10.9.0.1/32"], routes: ["10.0.0.2 dev eth0 src 10.9.0.1"] },
        { addresses: ["eth0 10.0.0.2/24", "lo 10.9.0.1/32"] },
      ),
    ask: ["a", "10.0.0.2", "arp"],
    followed: "martian-source",
    ignored: "reachable",
  },
  ttl: {
    about: "a TTL of one",
    wiring: () => routed(),
    ask: ["a", "10.1.0.2", "icmp", { ttl: 1 }],
    followed: "ttl",
    ignored: "reachable",
  },
  "path-mtu": {
    about: "a router's way out is narrow, and the packet may not be fragmented",
    wiring: () => routed().change("r/eth1", { mtu: 1000 }),
    ask: ["a", "10.1.0.2", "icmp", { size: 1400, dontFragment: true }],
    // Without the rule only the answer, which is as long, finds the narrow end of the wire.
    look: ({ stop }) => [stop?.cause, stop?.onReply],
    followed: ["mtu", false],
    ignored: ["mtu", true],
  },
  "ip-chains": {
    about: "the chains of inet",
    wiring: () => pair({}, { tables: [table("inet", "input", [rule(match("meta l4proto", "icmp"), drop)])] }),
    ask: ["a", "10.0.0.2"],
    followed: "nft-rule",
    ignored: "reachable",
  },
  "chain-policy": {
    about: "a chain's policy",
    wiring: () =>
      pair({}, { tables: [table("ip", "input", [rule(match("tcp dport", 80), accept)], { policy: "drop" })] }),
    ask: ["a", "10.0.0.2"],
    followed: "nft-policy",
    ignored: "reachable",
  },
  "conntrack-state": {
    about: "answers are let through",
    wiring: () =>
      routed({
        sysctls: { "net.ipv4.ip_forward": "1" },
        tables: [
          table(
            "inet",
            "forward",
            [rule(match("ct state", ["established", "related"], "in"), accept), rule(match("iifname", "eth0"), accept)],
            { policy: "drop" },
          ),
        ],
      }),
    ask: ["a", "10.1.0.2"],
    followed: "reachable",
    ignored: "nft-policy",
  },
  "conntrack-reply": {
    about: "answers are translated back",
    wiring: masquerading,
    ask: ["a", "10.1.0.2"],
    followed: "reachable",
    ignored: "reply",
  },
  masquerade: {
    about: "b has no way back to a's own address",
    wiring: masquerading,
    ask: ["a", "10.1.0.2"],
    followed: "reachable",
    ignored: "no-route",
  },
  snat: {
    about: "a fixed address for what leaves",
    wiring: () =>
      routed({
        tables: [
          nat("postrouting", match("ip saddr", { prefix: { addr: "10.0.0.0", len: 24 } }), {
            snat: { addr: "10.1.0.254" },
          }),
        ],
      }),
    ask: ["a", "10.1.0.2"],
    look: ({ seenSource }) => seenSource,
    followed: "10.1.0.254",
    ignored: "10.0.0.1",
  },
  dnat: {
    about: "a forwarded port",
    wiring: () =>
      routed({ tables: [nat("prerouting", match("tcp dport", 8080), { dnat: { addr: "10.1.0.2", port: 80 } })] }),
    ask: ["a", "10.0.0.254", "8080/tcp"],
    look: ({ answeredBy }) => answeredBy,
    followed: "b",
    ignored: "r",
  },
  redirect: {
    about: "the router answers in another's place",
    wiring: () => routed({ tables: [nat("prerouting", match("tcp dport", 80), { redirect: { port: 3128 } })] }),
    ask: ["a", "10.1.0.2", "80/tcp"],
    look: ({ answeredBy }) => answeredBy,
    followed: "r",
    ignored: "b",
  },
  "ignored-echo": {
    about: "a machine that answers no ping",
    wiring: () => pair({}, { sysctls: { "net.ipv4.icmp_echo_ignore_all": "1" } }),
    ask: ["a", "10.0.0.2"],
    followed: "ignores-echo",
    ignored: "reachable",
  },
  reply: {
    about: "no way back",
    wiring: () => routed({}, { bRoutes: [] }),
    ask: ["a", "10.1.0.2"],
    followed: "no-route",
    ignored: "reachable",
  },
  "reply-source": {
    about: "a forwarded port whose answer comes directly",
    wiring: () =>
      new Wiring()
        .machine("a", { addresses: ["eth0 10.0.0.1/24"] })
        .machine("b", { addresses: ["eth0 10.0.0.2/24"] })
        .machine("r", {
          addresses: ["br0 10.0.0.254/24"],
          sysctls: { "net.ipv4.ip_forward": "1" },
          tables: [nat("prerouting", match("tcp dport", 8080), { dnat: { addr: "10.0.0.2", port: 80 } })],
        })
        .wire("a/eth0", "r/p1")
        .wire("b/eth0", "r/p2")
        .bridge("r/br0", ["p1", "p2"]),
    ask: ["a", "10.0.0.254", "8080/tcp"],
    followed: "reply",
    ignored: "reachable",
  },
} satisfies Record<string, RuleCase>;
