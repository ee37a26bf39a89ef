import { describe, expect, test } from "vitest";
import type { Answer, StopCause } from "../model/reachability.ts";
import { STOP_CAUSES } from "../model/reachability.ts";
import { accept, drop, match, rule, table, Wiring } from "./fixture.ts";

const pair = (a: Parameters<Wiring["machine"]>[1] = {}, b: Parameters<Wiring["machine"]>[1] = {}) =>
  new Wiring()
    .machine("a", { addresses: ["eth0 10.0.0.1/24"], ...a })
    .machine("b", { addresses: ["eth0 10.0.0.2/24"], ...b })
    .wire("a/eth0", "b/eth0");

const routed = (r: Parameters<Wiring["machine"]>[1] = {}) =>
  new Wiring()
    .machine("a", { addresses: ["eth0 10.0.0.1/24"], routes: ["default via 10.0.0.254 dev eth0"] })
    .machine("r", {
      addresses: ["eth0 10.0.0.254/24", "eth1 10.1.0.254/24"],
      sysctls: { "net.ipv4.ip_forward": "1" },
      ...r,
    })
    .machine("b", { addresses: ["eth0 10.1.0.2/24"], routes: ["default via 10.1.0.254 dev eth0"] })
    .wire("a/eth0", "r/eth0")
    .wire("b/eth0", "r/eth1");

const bridged = (changes: Partial<Parameters<Wiring["change"]>[1]>) =>
  pairAtBridge().change("sw/p1", changes).change("sw/p2", changes);
const pairAtBridge = () =>
  new Wiring()
    .machine("a", { addresses: ["eth0 10.0.0.1/24"] })
    .machine("b", { addresses: ["eth0 10.0.0.2/24"] })
    .hub("hub", [])
    .machine("sw")
    .wire("a/eth0", "sw/p1")
    .wire("b/eth0", "sw/p2")
    .bridge("sw/br0", ["p1", "p2"]);

/** Each cause: how it comes about, and where and what its object is. */
const CASES: Record<StopCause, () => [Answer, namespace: string, object: string]> = {
  "no-route": () => [pair().ask("a", "10.5.0.1"), "a", "ip route get 10.5.0.1: Network is unreachable"],
  "link-down": () => [pair().change("b/eth0", { up: false }).ask("a", "10.0.0.2"), "b", "ip link: eth0 state DOWN"],
  "no-neighbour": () => [
    routed().machineAddress("a", "eth0 10.1.0.77/24").ask("a", "10.1.0.2"),
    "a",
    "ip neigh: 10.1.0.2 dev eth0 FAILED",
  ],
  "wrong-neighbour": () => [
    pair({ neighbours: ["10.0.0.2 dev eth0 lladdr 02:00:00:00:00:99"] }).ask("a", "10.0.0.2"),
    "a",
    "ip neigh: 10.0.0.2 dev eth0 lladdr 02:00:00:00:00:99 PERMANENT",
  ],
  "duplicate-address": () => [
    new Wiring()
      .machine("a", { addresses: ["eth0 10.0.0.1/24"] })
      .machine("b", { addresses: ["eth0 10.0.0.2/24"] })
      .machine("c", { addresses: ["eth0 10.0.0.2/24"] })
      .hub("sw", ["a/eth0", "b/eth0", "c/eth0"])
      .ask("a", "10.0.0.2"),
    "a",
    "ip neigh: 10.0.0.2 dev eth0 lladdr 02:00:00:00:00:03 or 02:00:00:00:00:05",
  ],
  "not-forwarding": () => [
    routed({ sysctls: { "net.ipv4.ip_forward": "0" } }).ask("a", "10.1.0.2"),
    "r",
    "sysctl net.ipv4.ip_forward = 0",
  ],
  "reverse-path": () => [
    routed({
      sysctls: { "net.ipv4.ip_forward": "1", "net.ipv4.conf.all.rp_filter": "1" },
      routes: ["10.0.0.9 dev eth1"],
    })
      .machineAddress("a", "lo 10.0.0.9/32", "10.1.0.2 via 10.0.0.254 dev eth0 src 10.0.0.9")
      .ask("a", "10.1.0.2"),
    "r",
    "sysctl net.ipv4.conf.eth0.rp_filter = 1; ip route: 10.0.0.9 dev eth1 scope link",
  ],
  "martian-source": () => [
    pair(
      { addresses: ["eth0 10.0.0.1/24", "lo 10.9.0.1/32"], routes: ["10.0.0.2 dev eth0 src 10.9.0.1"] },
      { addresses: ["eth0 10.0.0.2/24", "lo 10.9.0.1/32"] },
    ).ask("a", "10.0.0.2"),
    "b",
    "ip route: local 10.9.0.1 dev lo table local",
  ],
  "nft-rule": () => [
    pair({}, { tables: [table("inet", "input", [rule(match("ip saddr", "10.0.0.1"), drop)], { name: "mine" })] }).ask(
      "a",
      "10.0.0.2",
    ),
    "b",
    "inet mine input rule handle 7: ip saddr 10.0.0.1 drop",
  ],
  "nft-policy": () => [
    pair(
      {},
      { tables: [table("inet", "input", [rule(match("tcp dport", 80), accept)], { name: "mine", policy: "drop" })] },
    ).ask("a", "10.0.0.2"),
    "b",
    "inet mine input: type filter hook input priority 0; policy drop;",
  ],
  "spoof-guard": () => [
    pair(
      {},
      {
        tables: [
          table("inet", "prerouting", [rule(match("ip saddr", "10.0.0.9", "!="), drop)], {
            name: "cloison-guard",
            priority: -300,
          }),
        ],
      },
    ).ask("a", "10.0.0.2"),
    "b",
    "inet cloison-guard prerouting rule handle 7: ip saddr != 10.0.0.9 drop",
  ],
  "port-isolated": () => [
    bridged({ isolated: true }).ask("a", "10.0.0.2"),
    "sw",
    "bridge -d link: p2 master br0 isolated on",
  ],
  "vlan-mismatch": () => [
    new Wiring()
      .machine("a", { addresses: ["eth0.2 10.0.0.1/24"] })
      .machine("b", { addresses: ["eth0 10.0.0.2/24"] })
      .wire("a/eth0", "b/eth0")
      .vlan("a/eth0.2", "eth0", 2)
      .ask("a", "10.0.0.2"),
    "b",
    "ip -d link: eth0, no sub-interface with vlan id 2",
  ],
  mtu: () => [
    routed().change("r/eth1", { mtu: 1000 }).ask("a", "10.1.0.2", "icmp", { size: 1400, dontFragment: true }),
    "r",
    "ip link: eth1 mtu 1000",
  ],
  ttl: () => [routed().ask("a", "10.1.0.2", "icmp", { ttl: 1 }), "r", "TTL 1 on eth0"],
  "not-listening-here": () => [pair().ask("a", "10.0.0.77"), "a", "ip neigh: 10.0.0.77 dev eth0 FAILED"],
  "ignores-echo": () => [
    pair({}, { sysctls: { "net.ipv4.icmp_echo_ignore_all": "1" } }).ask("a", "10.0.0.2"),
    "b",
    "sysctl net.ipv4.icmp_echo_ignore_all = 1",
  ],
  reply: () => [
    new Wiring()
      .machine("a", { addresses: ["eth0 10.0.0.1/24"] })
      .machine("b", { addresses: ["eth0 10.0.0.2/24"] })
      .machine("r", {
        addresses: ["br0 10.0.0.254/24"],
        sysctls: { "net.ipv4.ip_forward": "1" },
        tables: [
          table("ip", "prerouting", [rule(match("tcp dport", 8080), { dnat: { addr: "10.0.0.2" } })], {
            type: "nat",
            priority: -100,
          }),
        ],
      })
      .wire("a/eth0", "r/p1")
      .wire("b/eth0", "r/p2")
      .bridge("r/br0", ["p1", "p2"])
      .ask("a", "10.0.0.254", "8080/tcp"),
    "a",
    "from 10.0.0.2 to 10.0.0.1 in a",
  ],
};

describe("every cause of a stop", () => {
  test.each(STOP_CAUSES)("%s", (cause) => {
    const [{ outcome, stop, answeredBy, unknown }, namespace, object] = CASES[cause]();
    expect({ outcome, answeredBy, unknown }).toEqual({ outcome: "blocked", answeredBy: null, unknown: null });
    expect({ cause: stop?.cause, namespace: stop?.namespace, object: stop?.object }).toEqual({
      cause,
      namespace,
      object,
    });
    expect(stop?.reason).toMatch(/^\S.*\.$/);
    expect(stop?.remedy).not.toBe("");
  });
});
