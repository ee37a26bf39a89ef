import { expect, test } from "vitest";
import { probe, sighting, surroundings } from "./fixture.ts";
import { observationOf } from "./observation-of.ts";
import type { Probe } from "./probe.ts";

const TCP = { by: "tcp", initialSequence: 1, sourcePort: 999, destinationPort: 81, flags: 2 } as const;
const icmp = { kind: "icmp" } as const;
const read = (of: Probe) => observationOf(of, surroundings);
const way = [sighting("ns-a/eth0 out"), sighting("ns-b/eth0 in", { source: "10.0.0.9", ttl: 63 })];

test("an answered ping: what the receiver saw, in the order of time, whoever was read first", () => {
  const back = [sighting("ns-b/eth0 out", { part: "reply" }), sighting("ns-a/eth0 in", { part: "reply" })];
  const observed = read(probe(icmp, { told: { kind: "answered" }, sightings: [...back, ...way].toReversed() }));
  expect(observed).toMatchObject({ outcome: "reachable", reply: "echo-reply", seenSource: "10.0.0.9", ttl: 63 });
  expect(observed).toMatchObject({ answeredBy: "b", answeredIn: "ns-b" });
  expect(observed.seenIn.map(({ namespace, direction, reply }) => `${namespace} ${direction} ${reply}`)).toEqual([
    "ns-a out false",
    "ns-b in false",
    "ns-b out true",
    "ns-a in true",
  ]);
});

test("a reply that was seen and not told to the program is no answer", () => {
  const back = sighting("ns-a/eth0 in", { part: "reply" });
  expect(read(probe(icmp, { sightings: [...way, back] }))).toMatchObject({ outcome: "blocked", reply: null });
});

test("a packet that went on is not delivered where it passed", () => {
  const passing = [sighting("ns-router/eth0 in"), sighting("ns-router/eth1 out")];
  expect(read(probe(icmp, { sightings: passing }))).toMatchObject({ seenSource: null, answeredBy: null });
  const bridged = [sighting("ns-router/vif1 in", {}, { forThisMachine: false })];
  expect(read(probe(icmp, { sightings: bridged }))).toMatchObject({ seenSource: null });
});

test("a reset by the destination's closed port is an answer; by a firewall for it, none", () => {
  const refused = { told: { kind: "refused" } } as const;
  const reset = sighting("ns-b/eth0 out", { ...TCP, part: "reply" });
  const tcp = (port: number) => ({ kind: "tcp", port }) as const;
  const at = (place: string, port: number) => sighting(place, { ...TCP, destinationPort: port });
  expect(read(probe(tcp(81), { ...refused, sightings: [at("ns-b/eth0 in", 81), reset] }))).toMatchObject({
    outcome: "reachable",
    reply: "rst",
  });
  // A listener on the very port that refuses.
  expect(read(probe(tcp(80), { ...refused, sightings: [at("ns-b/eth0 in", 80), reset] })).outcome).toBe("blocked");
  // The router does not have the address.
  const early = [at("ns-router/eth0 in", 81), sighting("ns-router/eth0 out", { ...TCP, part: "reply" })];
  expect(read(probe(tcp(81), { ...refused, sightings: early })).outcome).toBe("blocked");
});

test("to a connection a port unreachable is a firewall's word, to a datagram it is the destination's", () => {
  const error = sighting("ns-a/eth0 in", { part: "error", icmp: { type: 3, code: 3 }, source: "10.0.0.2" });
  const of = (kind: "tcp" | "udp") =>
    read(probe({ kind, port: 81 }, { told: { kind: "refused" }, sightings: [...way, error] }));
  expect(of("tcp")).toMatchObject({ outcome: "blocked", icmpError: { type: 3, code: 3, from: "10.0.0.2" } });
  expect(of("udp")).toMatchObject({ outcome: "reachable", reply: "port-unreachable", icmpError: null });
});

test("a datagram that nobody answers was delivered if there is a listener", () => {
  const sightings = (port: number) => [sighting("ns-b/eth0 in", { by: "mark", destinationPort: port })];
  const of = (port: number) => read(probe({ kind: "udp", port }, { sightings: sightings(port) }));
  expect(of(80)).toMatchObject({ outcome: "reachable", reply: "delivered" });
  expect(of(81)).toMatchObject({ outcome: "blocked", reply: null });
});

test("ARP: who answered on the interface that asked, first and in all", () => {
  const reply = (place: string, mac: string) =>
    sighting(place, { by: "neighbour", part: "reply", asker: "aa", target: "10.0.0.2", mac } as never);
  const asker = { index: 2, name: "eth0", mac: "aa", address: "10.0.0.1" };
  const sightings = [
    reply("ns-b/eth0 out", "bb"),
    reply("ns-a/eth0 in", "bb"),
    reply("ns-router/eth0 out", "cc"),
    reply("ns-a/eth0 in", "cc"),
    reply("ns-a/eth1 in", "dd"),
  ];
  const observed = read(probe({ kind: "arp" }, { asker, sightings }));
  expect(observed).toMatchObject({ outcome: "reachable", mac: "bb", macs: ["bb", "cc"], answeredBy: "b" });
  expect(read(probe({ kind: "arp" }, { asker, sightings: sightings.slice(4) })).outcome).toBe("blocked");
});

test("tags by where they were seen, and why the sender's kernel refused", () => {
  const tagged = [sighting("ns-b/trunk0 in", {}, { vlanTag: 10 })];
  expect(read(probe(icmp, { sightings: tagged })).vlan).toEqual({ "ns-b/trunk0": 10 });
  const refused = read(probe(icmp, { told: { kind: "send-error", code: "ENETUNREACH" } }));
  expect(refused).toMatchObject({ outcome: "blocked", sendError: "ENETUNREACH", seenIn: [] });
});
