import { describe, expect, test } from "vitest";
import { accept, drop, match, parseNeighbour, rule, table, Wiring } from "./fixture.ts";

const pair = (a: Parameters<Wiring["machine"]>[1] = {}, b: Parameters<Wiring["machine"]>[1] = {}) =>
  new Wiring()
    .machine("a", { addresses: ["eth0 10.0.0.1/24"], ...a })
    .machine("b", { addresses: ["eth0 10.0.0.2/24"], ...b })
    .wire("a/eth0", "b/eth0");

describe("ARP", () => {
  test("names the MAC and who answers", () => {
    const wiring = pair();
    expect(wiring.ask("a", "10.0.0.2", "arp")).toMatchObject({
      outcome: "reachable",
      mac: wiring.link("b/eth0").mac,
      answeredBy: "b",
      seenSource: null,
      ttl: null,
    });
  });

  test("a router answers by proxy with its own MAC", () => {
    const wiring = new Wiring()
      .machine("a", { addresses: ["eth0 10.0.0.1/24"] })
      .machine("r", {
        addresses: ["eth0 10.0.0.254/24"],
        routes: ["10.0.0.2/32 dev eth1"],
        neighbours: ["10.0.0.2 dev eth0 proxy"],
        sysctls: { "net.ipv4.ip_forward": "1" },
      })
      .machine("b", { addresses: ["eth0 10.0.0.2/32"], routes: ["default via 10.0.0.254 dev eth0 onlink"] })
      .wire("a/eth0", "r/eth0")
      .wire("b/eth0", "r/eth1")
      .machineAddress("r", "eth1 10.0.0.254/32");
    expect(wiring.ask("a", "10.0.0.2", "arp")).toMatchObject({ mac: wiring.link("r/eth0").mac, answeredBy: "r" });
    expect(wiring.ask("a", "10.0.0.2")).toMatchObject({ outcome: "reachable", ttl: 63, hops: ["10.0.0.254"] });
    wiring.state["r"]?.neighbours.pop();
    expect(wiring.ask("a", "10.0.0.2").stop).toMatchObject({
      cause: "no-neighbour",
      object: "ip neigh: 10.0.0.2 dev eth0 FAILED; ip neigh show proxy in r: no entry for 10.0.0.2 dev eth0",
      remedy: "In r: ip neigh add proxy 10.0.0.2 dev eth0",
    });
  });

  test("a proxy entry is of no use to a machine that does not forward, or whose way there is the same interface", () => {
    const proxy = (sysctls: Record<string, string>, routes: string[]) =>
      new Wiring()
        .machine("a", { addresses: ["eth0 10.0.0.1/24"] })
        .machine("r", { addresses: ["eth0 10.0.0.254/24"], routes, neighbours: ["10.0.0.2 dev eth0 proxy"], sysctls })
        .machine("b")
        .wire("a/eth0", "r/eth0")
        .wire("b/eth0", "r/eth1")
        .ask("a", "10.0.0.2", "arp").stop?.cause;
    expect(proxy({}, ["10.0.0.2/32 dev eth1"])).toBe("not-forwarding");
    expect(proxy({ "net.ipv4.ip_forward": "1" }, [])).toBe("no-neighbour");
  });

  test("an entry that was learned wrongly is to blame, even if its MAC is another machine's", () => {
    const wiring = new Wiring()
      .machine("a", { addresses: ["eth0 10.0.0.1/24"] })
      .machine("b", { addresses: ["eth0 10.0.0.2/24"] })
      .machine("c", { addresses: ["eth0 10.0.0.3/24"] })
      .hub("sw", ["a/eth0", "b/eth0", "c/eth0"]);
    const mac = wiring.link("c/eth0").mac ?? "";
    const state = wiring.state["a"];
    if (state === undefined) throw new Error("no a");
    state.observed = {
      learned: [parseNeighbour(`10.0.0.2 dev eth0 lladdr ${mac}`)],
      leasedAddresses: [],
      leasedRoutes: [],
      foreignTables: {},
      unmodelled: [],
    };
    expect(wiring.ask("a", "10.0.0.2").stop).toMatchObject({ cause: "wrong-neighbour", namespace: "a" });
    expect(wiring.ask("a", "10.0.0.2", "arp").outcome).toBe("reachable");
  });

  test("an answer that a bridge drops is an answer that was stopped", () => {
    const wiring = new Wiring()
      .machine("a", { addresses: ["eth0 10.0.0.1/24"] })
      .machine("b", { addresses: ["eth0 10.0.0.2/24"] })
      .machine("sw", { tables: [table("bridge", "prerouting", [rule(match("arp operation", "reply"), drop)])] })
      .wire("a/eth0", "sw/p1")
      .wire("b/eth0", "sw/p2")
      .bridge("sw/br0", ["p1", "p2"]);
    expect(wiring.ask("a", "10.0.0.2", "arp").stop).toMatchObject({ cause: "nft-rule", onReply: true });
    expect(wiring.ask("a", "10.0.0.2").stop).toMatchObject({ cause: "nft-rule", onReply: false });
  });
});

describe("IPv6", () => {
  const six = (b: Parameters<Wiring["machine"]>[1] = {}) =>
    new Wiring()
      .machine("a", { addresses: ["eth0 fd00::1/64"] })
      .machine("b", { addresses: ["eth0 fd00::2/64"], ...b })
      .wire("a/eth0", "b/eth0");

  test("finds its neighbours", () => {
    expect(six().ask("a", "fd00::2")).toMatchObject({ outcome: "reachable", seenSource: "fd00::1", ttl: 64 });
    expect(six().ask("a", "fd00:0:0::2", "arp")).toMatchObject({ outcome: "reachable", answeredBy: "b" });
  });

  test("solicitations pass IPv6's chains, untracked", () => {
    const chains = (...before: ReturnType<typeof rule>[]) =>
      six({
        tables: [
          table("inet", "input", [...before, rule(match("icmpv6 type", "echo-request"), accept)], { policy: "drop" }),
        ],
      });
    expect(chains().ask("a", "fd00::2").stop?.cause).toBe("nft-policy");
    expect(
      chains(rule(match("icmpv6 type", { set: ["nd-neighbor-solicit", "nd-neighbor-advert"] }), accept)).ask(
        "a",
        "fd00::2",
      ).outcome,
    ).toBe("reachable");
    expect(chains(rule(match("ct state", "untracked", "in"), accept)).ask("a", "fd00::2").outcome).toBe("reachable");
  });

  test("an address of another interface gets no answer", () => {
    const wiring = six({ addresses: ["eth0 fd00::2/64", "lo fd00::3/128"] });
    expect(wiring.ask("a", "fd00::3").stop?.cause).toBe("no-neighbour");
  });

  test("is off where it is disabled", () => {
    const wiring = six({ addresses: ["eth0 fd00::2/64"], sysctls: { "net.ipv6.conf.all.disable_ipv6": "1" } });
    expect(wiring.ask("a", "fd00::2").outcome).toBe("blocked");
  });
});
