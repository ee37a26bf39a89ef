import { describe, expect, test } from "vitest";
import { compileNetwork } from "./compile-network.ts";
import { drop, match, rule, table, Wiring } from "./fixture.ts";
import { walk } from "./walk.ts";

const pair = (a: Parameters<Wiring["machine"]>[1] = {}, b: Parameters<Wiring["machine"]>[1] = {}) =>
  new Wiring()
    .machine("a", { addresses: ["eth0 10.0.0.1/24"], ...a })
    .machine("b", { addresses: ["eth0 10.0.0.2/24"], ...b })
    .wire("a/eth0", "b/eth0");

/** a – r1 – r2 – b */
const chain = () =>
  new Wiring()
    .machine("a", { addresses: ["eth0 10.0.0.1/24"], routes: ["default via 10.0.0.254 dev eth0"] })
    .machine("r1", {
      addresses: ["eth0 10.0.0.254/24", "eth1 10.9.0.1/30"],
      routes: ["10.1.0.0/24 via 10.9.0.2 dev eth1"],
      sysctls: { "net.ipv4.ip_forward": "1" },
    })
    .machine("r2", {
      addresses: ["eth0 10.9.0.2/30", "eth1 10.1.0.254/24"],
      routes: ["10.0.0.0/24 via 10.9.0.1 dev eth0"],
      sysctls: { "net.ipv4.ip_forward": "1" },
    })
    .machine("b", { addresses: ["eth0 10.1.0.2/24"], routes: ["default via 10.1.0.254 dev eth0"] })
    .wire("a/eth0", "r1/eth0")
    .wire("r1/eth1", "r2/eth0")
    .wire("b/eth0", "r2/eth1");

describe("a ping", () => {
  test("through two routers: TTL, hops as traceroute shows them, source, who answers", () => {
    expect(chain().ask("a", "10.1.0.2")).toMatchObject({
      outcome: "reachable",
      ttl: 62,
      hops: ["10.0.0.254", "10.9.0.2"],
      seenSource: "10.0.0.1",
      answeredBy: "b",
      mac: null,
      stop: null,
    });
  });

  test("two routers that send a packet in a circle use up its TTL", () => {
    const wiring = chain().machineAddress("r2", "eth1 10.1.0.254/24", "10.7.0.0/24 via 10.9.0.1 dev eth0");
    wiring.state["r1"]?.routes.push({ destination: "10.7.0.0/24", via: "10.9.0.2", link: "eth1" });
    expect(wiring.ask("a", "10.7.0.1").stop?.cause).toBe("ttl");
  });

  test("to the machine itself goes over its loopback", () => {
    expect(pair().ask("a", "10.0.0.1")).toMatchObject({
      outcome: "reachable",
      answeredBy: "a",
      seenSource: "10.0.0.1",
    });
    const closed = pair({ tables: [table("ip", "input", [rule(match("iifname", "lo"), drop)])] });
    expect(closed.ask("a", "10.0.0.1").stop?.cause).toBe("nft-rule");
  });

  test("an answer that is stopped says so", () => {
    const wiring = pair({ tables: [table("ip", "input", [rule(match("icmp type", "echo-reply"), drop)])] });
    expect(wiring.ask("a", "10.0.0.2")).toMatchObject({
      outcome: "blocked",
      seenSource: "10.0.0.1",
      ttl: 64,
      stop: { cause: "nft-rule", namespace: "a", onReply: true },
    });
  });

  test("a fragmented packet passes what the whole one does not", () => {
    const narrow = chain().change("r1/eth1", { mtu: 1000 }).change("r2/eth0", { mtu: 1000 });
    expect(narrow.ask("a", "10.1.0.2", "icmp", { size: 1400 }).outcome).toBe("reachable");
    expect(narrow.ask("a", "10.1.0.2", "icmp", { size: 1400, dontFragment: true }).stop).toMatchObject({
      cause: "mtu",
      namespace: "r1",
      onReply: false,
    });
  });

  test("links take four bytes more than their MTU, and no more", () => {
    const narrow = pair().change("b/eth0", { mtu: 1000 });
    expect(narrow.ask("a", "10.0.0.2", "icmp", { size: 1004 }).outcome).toBe("reachable");
    expect(narrow.ask("a", "10.0.0.2", "icmp", { size: 1005 }).stop?.cause).toBe("mtu");
  });
});

describe("a trace", () => {
  test("tells the way hop by hop, and nothing is told without", () => {
    const told = chain().ask("a", "10.1.0.2", "icmp", { trace: true }).steps;
    expect(
      told
        .filter(({ onReply, does }) => !onReply && does !== "arp")
        .map(({ namespace, does, object }) => `${namespace} ${does} ${object}`),
    ).toEqual([
      "a send null",
      "a route ip route: default via 10.0.0.254 dev eth0",
      "r1 route ip route: 10.1.0.0/24 via 10.9.0.2 dev eth1",
      "r2 route ip route: 10.1.0.0/24 dev eth1 proto kernel scope link src 10.1.0.254",
      "b deliver ip addr: 10.1.0.2",
    ]);
    expect(told.some(({ onReply }) => onReply)).toBe(true);
    expect(chain().ask("a", "10.1.0.2").steps).toEqual([]);
  });

  test("changes no answer", () => {
    const wiring = chain();
    const network = compileNetwork(wiring.state);
    const question = { from: "a", to: "b", address: "10.1.0.2", how: { kind: "icmp" } } as const;
    const { steps: _, ...plain } = walk(network, wiring.endpoints(), question);
    const { steps: __, ...traced } = walk(network, wiring.endpoints(), question, { trace: true });
    expect(traced).toEqual(plain);
  });
});

test("what is remembered of ARP changes no later answer", () => {
  const wiring = pair({ tables: [table("arp", "input", [rule(match("arp operation", "request"), drop)])] });
  const network = compileNetwork(wiring.state);
  const ask = () =>
    walk(network, wiring.endpoints(), { from: "a", to: "b", address: "10.0.0.2", how: { kind: "icmp" } });
  const first = ask();
  expect(first.outcome).toBe("reachable");
  expect(ask()).toEqual(first);
});

test("a question from nobody is refused", () => {
  expect(() => pair().ask("nobody", "10.0.0.2")).toThrow("nobody is no endpoint");
});

test("a chain at the ingress of a userspace switch's port sees no frame: the switch has them before", () => {
  const tables = [table("netdev", "ingress", [rule(drop)], { device: "p1" })];
  const joined = (join: (wiring: Wiring) => Wiring) =>
    join(
      new Wiring()
        .machine("a", { addresses: ["eth0 10.0.0.1/24"] })
        .machine("b", { addresses: ["eth0 10.0.0.2/24"] })
        .machine("sw", { tables })
        .wire("a/eth0", "sw/p1")
        .wire("b/eth0", "sw/p2"),
    ).ask("a", "10.0.0.2").outcome;
  const port = (link: string) => ({ link, vlan: { access: 2 }, guard: null });
  expect(joined((wiring) => wiring.switch("sw/ovs0", [port("p1"), port("p2")]))).toBe("reachable");
  expect(joined((wiring) => wiring.bridge("sw/br0", ["p1", "p2"]))).toBe("blocked");
});
