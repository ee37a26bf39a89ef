import type { NftTable } from "../../src/model/nft.ts";
import * as nft from "../../src/networks/nft.ts";

/** A table with one chain, as somebody who is not Cloison may load it. */
function foreign(family: NftTable["family"], name: string, chain: NftTable["chains"][number]): NftTable {
  return { family, name, sets: [], chains: [chain] };
}

const protocol = (name: string) => nft.match(nft.meta("l4proto"), "==", name);
const toPort = (port: number) => nft.match(nft.payload("tcp", "dport"), "==", port);

export const FOREIGN = {
  /** A machine that answers no ARP, and yet is answered. */
  deafToRequests: foreign(
    "arp",
    "foreign",
    nft.chain("input", 0, [nft.rule(undefined, nft.match(nft.payload("arp", "operation"), "==", "request"), nft.drop)]),
  ),
  noBridgedTcp: foreign(
    "bridge",
    "foreign",
    nft.chain("forward", 0, [
      nft.rule(undefined, nft.match(nft.payload("ether", "type"), "==", "ip"), protocol("tcp"), nft.drop),
    ]),
  ),
  noForwardedPing: foreign(
    "inet",
    "foreign",
    nft.chain("forward", 10, [nft.rule(undefined, protocol("icmp"), { reject: null })]),
  ),
  noForwardedWeb: foreign("ip", "foreignweb", nft.chain("forward", 0, [nft.rule(undefined, toPort(80), nft.drop)])),
  /** Its own connections only; discovery of IPv6, which knows none, is not of this family. */
  onlyAnswers: foreign(
    "ip",
    "foreignin",
    nft.chain(
      "input",
      0,
      [
        nft.rule(undefined, nft.match(nft.ct("state"), "in", ["established"]), nft.accept),
        nft.rule(undefined, nft.iif("lo"), nft.accept),
      ],
      { policy: "drop" },
    ),
  ),
  onlyDatagrams: foreign(
    "inet",
    "foreignin",
    nft.chain(
      "input",
      0,
      [
        nft.rule(undefined, nft.match(nft.ct("state"), "in", ["established"]), nft.accept),
        nft.rule(undefined, nft.iif("lo"), nft.accept),
        nft.rule(undefined, protocol("udp"), nft.accept),
      ],
      { policy: "drop" },
    ),
  ),
  noTcpAt: (device: string): NftTable => {
    const chain = nft.chain("ingress", 0, [
      nft.rule(undefined, nft.match(nft.payload("ip", "protocol"), "==", "tcp"), nft.drop),
    ]);
    return foreign("netdev", "foreign", {
      ...chain,
      base: { type: "filter", hook: "ingress", priority: 0, policy: "accept", device },
    });
  },
  pingsFrom: (address: string) =>
    foreign(
      "ip",
      "foreignnat",
      nft.chain("postrouting", 50, [nft.rule(undefined, protocol("icmp"), { snat: { addr: address } })], {
        type: "nat",
      }),
    ),
  /** Pings and not connections: a refusal by a machine that has not the address may be a firewall's. */
  pingsHere: foreign(
    "ip",
    "foreignnat",
    nft.chain("prerouting", -100, [nft.rule(undefined, protocol("icmp"), { redirect: null })], { type: "nat" }),
  ),
  webTo: (address: string) =>
    foreign(
      "ip",
      "foreignweb",
      nft.chain("prerouting", -100, [nft.rule(undefined, toPort(80), { dnat: { addr: address } })], { type: "nat" }),
    ),
};
