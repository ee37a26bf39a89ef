import { describe, expect, test } from "vitest";
import type { NftSet, NftStatement } from "../../model/nft.ts";
import type { Stop } from "../../model/reachability.ts";
import { accept, drop, expression, match, rule, table, Wiring } from "../fixture.ts";

/** What a (10.0.0.1) hears that pings b (10.0.0.2) or calls its port, when b's input has this rule. */
function input(statements: NftStatement[], { how = "icmp", sets = [] as NftSet[], family = "inet" as const } = {}) {
  const answer = new Wiring()
    .machine("a", { addresses: ["eth0 10.0.0.1/24"] })
    .machine("b", {
      addresses: ["eth0 10.0.0.2/24"],
      tables: [table(family, "input", [rule(...statements)], { sets })],
    })
    .wire("a/eth0", "b/eth0")
    .ask("a", "10.0.0.2", how);
  return answer.stop?.cause ?? answer.outcome;
}

const DROPPED: Stop["cause"] = "nft-rule";
const prefix = (addr: string, len: number) => ({ prefix: { addr, len } });
const elem = (val: unknown) => ({ elem: { val, comment: "a" } });

const SETS: NftSet[] = [
  { name: "addresses", type: "ipv4_addr", elements: [elem("10.0.0.1"), "10.0.0.7"] },
  {
    name: "subnets",
    type: "ipv4_addr",
    flags: ["interval"],
    elements: [prefix("10.0.0.0", 30), { range: ["10.0.0.9", "10.0.0.12"] }],
  },
  { name: "pairs", type: ["ifname", "ipv4_addr"], elements: [elem({ concat: ["eth0", "10.0.0.1"] })] },
  {
    name: "wide",
    type: ["ipv4_addr", "inet_service"],
    flags: ["interval"],
    elements: [{ concat: [prefix("10.0.0.0", 8), { range: [1, 100] }] }],
  },
  { name: "names", type: "ifname", elements: ["eth*"] },
  {
    name: "verdicts",
    type: "ipv4_addr",
    map: "verdict",
    elements: [
      ["10.0.0.1", { drop: null }],
      ["10.0.0.9", { accept: null }],
    ],
  },
];

/** Statements before a drop, and whether a's ping (or call) meets it. */
const MATCHES: [NftStatement, boolean, string?][] = [
  [match("ip saddr", "10.0.0.1"), true],
  [match("ip saddr", "10.0.0.9"), false],
  [match("ip saddr", "10.0.0.9", "!="), true],
  [match("ip saddr", prefix("10.0.0.0", 24)), true],
  [match("ip saddr", prefix("10.0.0.128", 25)), false],
  [match("ip saddr", { range: ["10.0.0.1", "10.0.0.5"] }), true],
  [match("ip daddr", { set: ["10.0.0.2", "10.0.0.3"] }), true],
  [match("ip daddr", { set: [prefix("10.9.0.0", 16), "10.0.0.3"] }), false],
  [match("ip saddr", "@addresses"), true],
  [match("ip saddr", "@addresses", "!="), false],
  [match("ip saddr", "@subnets"), true],
  [match("ip daddr", "@subnets", "!="), false],
  [match("iifname . ip saddr", "@pairs"), true],
  [match("iifname . ip daddr", "@pairs"), false],
  [match("ip saddr . tcp dport", "@wide"), true, "80/tcp"],
  [match("ip saddr . tcp dport", "@wide"), false, "443/tcp"],
  [match("iifname", "@names"), true],
  [match("iifname", "eth*"), true],
  [match("iifname", "vif*"), false],
  [match("iif", "eth0"), true],
  [match("oifname", ""), true],
  [match("oifname", "eth0", "!="), true],
  [match("meta l4proto", "icmp"), true],
  [match("meta l4proto", 1), true],
  [match("meta l4proto", { set: ["tcp", "udp"] }), true, "53/udp"],
  [match("meta protocol", "ip"), true],
  [match("meta nfproto", "ipv6"), false],
  [match("meta pkttype", "host"), true],
  [match("meta mark", 0), true],
  [match("tcp dport", 80), true, "80/tcp"],
  [match("tcp dport", 80, "!="), false, "80/tcp"],
  // Not TCP at all: the rule does not apply, whatever the comparison.
  [match("tcp dport", 80, "!="), false],
  [match("tcp dport", { range: [1, 1024] }), true, "80/tcp"],
  [match("tcp dport", 1024, "<"), true, "80/tcp"],
  [match("tcp dport", 80, "<="), true, "80/tcp"],
  [match("tcp dport", 80, ">"), false, "80/tcp"],
  [match("tcp dport", 80, ">="), true, "80/tcp"],
  [match("th dport", 53), true, "53/udp"],
  [match("tcp sport", 1024, ">="), true, "80/tcp"],
  [match("tcp flags", "syn", "in"), true, "80/tcp"],
  [match("udp dport", 53), false, "53/tcp"],
  [match("icmp type", "echo-request"), true],
  [match("icmp type", { set: ["echo-reply", 3] }), false],
  [match("icmpv6 type", "echo-request"), false],
  [match("ip ttl", 64), true],
  [match("ip protocol", "icmp"), true],
  [match("ip6 saddr", "fd00::1", "!="), false],
  [match("ether saddr", "02:00:00:00:00:01"), true],
  [match("ether daddr", "02:00:00:00:00:01"), false],
  [match("ether type", "ip"), true],
  [match("arp operation", "request"), false],
  [match("ct state", "new", "in"), true],
  [match("ct state", ["established", "related"], "in"), false],
  [match("ct state", { set: ["new", "untracked"] }), true],
  [match("ct state", "invalid", "!="), true],
  [match("ct status", "dnat", "in"), false],
  [match("ct direction", "original"), true],
  [match("fib daddr", "local"), true],
  [match("fib saddr", "local"), false],
  [match("fib saddr", "unicast"), true],
  [{ match: { op: "==", left: { "&": [expression("tcp flags"), ["syn", "ack"]] }, right: "syn" } }, true, "80/tcp"],
];

describe("matches", () => {
  test.each(MATCHES)("%j: %s %s", (statement, matches, how = "icmp") => {
    expect(input([statement, drop], { how, sets: SETS })).toBe(matches ? DROPPED : "reachable");
  });

  test("verdict maps", () => {
    const vmap = (key: string, data: unknown): NftStatement => ({ vmap: { key: expression(key), data } });
    const anonymous = { set: [["eth0", { drop: null }]] };
    expect(input([vmap("iifname", anonymous)])).toBe(DROPPED);
    expect(input([vmap("oifname", anonymous)])).toBe("reachable");
    expect(input([vmap("ip saddr", "@verdicts")], { sets: SETS })).toBe(DROPPED);
    expect(input([vmap("ip daddr", "@verdicts")], { sets: SETS })).toBe("reachable");
  });
});

describe("statements", () => {
  test.each<[NftStatement, string]>([
    [{ counter: { packets: 0, bytes: 0 } }, DROPPED],
    [{ log: { prefix: "x" } }, DROPPED],
    [{ limit: { rate: 10, per: "second" } }, DROPPED],
    [{ limit: { rate: 10, per: "second", inv: true } }, "reachable"],
    [{ mangle: { key: { meta: { key: "mark" } }, value: 5 } }, DROPPED],
    [{ accept: null }, "reachable"],
    [{ return: null }, "reachable"],
    [{ continue: null }, "reachable"],
  ])("%j before a drop", (statement, expected) => {
    expect(input([statement, drop])).toBe(expected);
  });

  test("a rejected packet is stopped as a dropped one is", () => {
    expect(input([{ reject: { type: "icmp", expr: "port-unreachable" } }])).toBe(DROPPED);
  });

  test.each<NftStatement>([
    { queue: null },
    { xt: { type: "match", name: "owner" } },
    { notrack: null },
    match("ip dscp", 1),
    match("meta skuid", 0),
    match("ip saddr", "@missing"),
    { match: { op: "==", left: { socket: { key: "transparent" } }, right: 1 } },
  ])("%j is not modelled", (statement) => {
    expect(input([statement, drop])).toBe("unknown");
  });

  test("what is not modelled is harmless behind a match that fails", () => {
    expect(input([match("ip saddr", "10.0.0.9"), { xt: null }, drop])).toBe("reachable");
  });

  test("the answer names the rule", () => {
    const answer = new Wiring()
      .machine("a", { addresses: ["eth0 10.0.0.1/24"] })
      .machine("b", {
        addresses: ["eth0 10.0.0.2/24"],
        tables: [table("ip", "input", [rule({ queue: null })], { name: "foreign" })],
      })
      .wire("a/eth0", "b/eth0")
      .ask("a", "10.0.0.2");
    expect(answer.unknown).toBe('ip foreign input rule handle 7: {"queue":null}');
  });
});

describe("chains", () => {
  const ask = (...tables: ReturnType<typeof table>[]) => {
    const answer = new Wiring()
      .machine("a", { addresses: ["eth0 10.0.0.1/24"] })
      .machine("b", { addresses: ["eth0 10.0.0.2/24"], tables })
      .wire("a/eth0", "b/eth0")
      .ask("a", "10.0.0.2");
    return answer.stop?.object ?? answer.outcome;
  };
  const jump = (target: string): NftStatement => ({ jump: { target } });
  const goto = (target: string): NftStatement => ({ goto: { target } });
  const other = (name: string, ...rules: ReturnType<typeof rule>[]) => ({ name, base: null, rules });

  test("to accept ends one chain; a later one may drop", () => {
    const first = table("inet", "input", [rule(accept)], { name: "first", priority: 0 });
    const later = table("ip", "input", [rule(drop)], { name: "later", priority: 10 });
    expect(ask(later, first)).toBe("ip later input rule handle 7: drop");
  });

  test("chains run by priority: what drops first is named", () => {
    const late = table("inet", "input", [rule(drop)], { name: "late", priority: 10 });
    const early = table("inet", "input", [rule(drop)], { name: "early", priority: -10 });
    expect(ask(late, early)).toContain("inet early");
  });

  test("jump comes back, goto does not", () => {
    const others = [other("nothing", rule(match("ip saddr", "10.0.0.9"), drop))];
    expect(ask(table("ip", "input", [rule(jump("nothing")), rule(drop)], { others }))).toContain("input rule");
    expect(ask(table("ip", "input", [rule(goto("nothing")), rule(drop)], { others }))).toBe("reachable");
    expect(ask(table("ip", "input", [rule(goto("nothing"))], { others, policy: "drop" }))).toContain("policy drop");
  });

  test("return leaves the chain that was jumped to", () => {
    const others = [other("sub", rule({ return: null }), rule(drop))];
    expect(ask(table("ip", "input", [rule(jump("sub")), rule(accept)], { others, policy: "drop" }))).toBe("reachable");
  });

  test("accept in a chain that was jumped to ends the base chain, too", () => {
    const others = [other("sub", rule(accept))];
    expect(ask(table("ip", "input", [rule(jump("sub")), rule(drop)], { others }))).toBe("reachable");
  });

  test("marks are kept from chain to chain within the machine", () => {
    const set = table("inet", "prerouting", [rule({ mangle: { key: { meta: { key: "mark" } }, value: 9 } })], {
      name: "set",
    });
    const use = table("inet", "input", [rule(match("meta mark", 9), drop)], { name: "use" });
    expect(ask(set, use)).toContain("inet use");
  });

  test("other families' chains see nothing of IPv4", () => {
    expect(ask(table("ip6", "input", [rule(drop)]))).toBe("reachable");
  });
});
