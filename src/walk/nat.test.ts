import { describe, expect, test } from "vitest";
import { accept, drop, match, rule, table, Wiring } from "./fixture.ts";

describe("NAT", () => {
  const nat = (hook: "prerouting" | "output" | "postrouting", ...rules: ReturnType<typeof rule>[]) =>
    table("inet", hook, rules, { name: hook, type: "nat", priority: hook === "postrouting" ? 100 : -100 });
  /** A guest g behind host h, and o outside. */
  const home = () =>
    new Wiring()
      .machine("g", { addresses: ["eth0 10.200.0.2/24"], routes: ["default via 10.200.0.1 dev eth0"] })
      .machine("f", { addresses: ["eth0 10.200.0.3/24"], routes: ["default via 10.200.0.1 dev eth0"] })
      .machine("h", {
        addresses: ["br0 10.200.0.1/24", "eth0 10.0.0.1/24"],
        sysctls: { "net.ipv4.ip_forward": "1" },
        tables: [
          nat(
            "prerouting",
            rule(match("ip daddr", "10.0.0.1"), match("tcp dport", 8080), {
              dnat: { family: "ip", addr: "10.200.0.2", port: 80 },
            }),
          ),
          nat(
            "output",
            rule(match("ip daddr", "10.0.0.1"), match("tcp dport", 8080), {
              dnat: { family: "ip", addr: "10.200.0.2", port: 80 },
            }),
          ),
          nat(
            "postrouting",
            rule(match("oifname", "br0", "!="), match("ip saddr", { prefix: { addr: "10.200.0.0", len: 24 } }), {
              masquerade: null,
            }),
            rule(
              match("oifname", "br0"),
              match("ip saddr", { prefix: { addr: "10.200.0.0", len: 24 } }),
              match("ct status", "dnat", "in"),
              { masquerade: null },
            ),
          ),
          table(
            "inet",
            "forward",
            [
              rule(match("ct state", ["established", "related"], "in"), accept),
              rule(match("oifname", "br0"), match("ct status", "dnat", "in"), accept),
              rule(match("oifname", "br0"), drop),
            ],
            { name: "filter" },
          ),
        ],
      })
      .machine("o", { addresses: ["eth0 10.0.0.2/24"] })
      .wire("g/eth0", "h/v1")
      .wire("f/eth0", "h/v2")
      .bridge("h/br0", ["v1", "v2"])
      .wire("h/eth0", "o/eth0");

  test("what leaves has the host's address", () => {
    expect(home().ask("g", "10.0.0.2")).toMatchObject({
      outcome: "reachable",
      seenSource: "10.0.0.1",
      ttl: 63,
      hops: ["10.200.0.1"],
    });
  });

  test("a forwarded port reaches the guest: from outside, from the host, from the guest itself and from its neighbour", () => {
    expect(home().ask("o", "10.0.0.1", "8080/tcp")).toMatchObject({
      outcome: "reachable",
      answeredBy: "g",
      seenSource: "10.0.0.2",
    });
    expect(home().ask("h", "10.0.0.1", "8080/tcp")).toMatchObject({
      outcome: "reachable",
      answeredBy: "g",
      seenSource: "10.0.0.1",
    });
    expect(home().ask("g", "10.0.0.1", "8080/tcp")).toMatchObject({
      outcome: "reachable",
      answeredBy: "g",
      seenSource: "10.200.0.1",
    });
    expect(home().ask("f", "10.0.0.1", "8080/tcp")).toMatchObject({
      outcome: "reachable",
      answeredBy: "g",
      seenSource: "10.200.0.1",
    });
  });

  test("other ports are the host's own; past it nobody gets in", () => {
    expect(home().ask("o", "10.0.0.1", "22/tcp")).toMatchObject({ outcome: "reachable", answeredBy: "h" });
    const inside = home().machineAddress("o", "lo 10.9.9.9/32", "10.200.0.0/24 via 10.0.0.1 dev eth0");
    expect(inside.ask("o", "10.200.0.2").stop).toMatchObject({ cause: "nft-rule", namespace: "h" });
  });
});
