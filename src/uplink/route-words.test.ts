import { expect, test } from "vitest";
import { expiryWords, savedRoute, separateHops } from "./route-words.ts";

test.each([
  [
    4,
    { dst: "default", gateway: "10.0.0.1", dev: "eth1", protocol: "dhcp", prefsrc: "10.0.0.2", metric: 100, flags: [] },
    "0.0.0.0/0 via 10.0.0.1 proto dhcp src 10.0.0.2 metric 100",
  ],
  [
    4,
    { dst: "10.7.0.0/16", gateway: "10.8.8.8", dev: "eth1", table: "50", flags: ["onlink"], metrics: [{ mtu: 1400 }] },
    "10.7.0.0/16 via 10.8.8.8 table 50 mtu 1400 onlink",
  ],
  [4, { dst: "10.9.0.0/16", dev: "eth1", scope: "link", flags: ["linkdown"] }, "10.9.0.0/16 scope link"],
  [4, { dst: "default", via: { family: "inet6", host: "fe80::1" }, dev: "eth1" }, "0.0.0.0/0 via inet6 fe80::1"],
  [6, { dst: "default", gateway: "fe80::1", dev: "eth1", pref: "medium" }, "::/0 via fe80::1 pref medium"],
] as const)("a route is kept in ip's own words", (family, json, words) => {
  expect(savedRoute(family, json)?.words).toBe(words);
});

test.each([
  { dst: "default", nexthops: [{ dev: "eth1" }, { dev: "eth2" }] },
  { dst: "default", dev: "eth1", nhid: 7 },
  { dst: "10.0.0.0/8", dev: "eth1", encap: "mpls" },
  { dst: "10.0.0.0/8", dev: "eth1", flags: ["pervasive"] },
  { dst: "10.0.0.0/8", dev: "eth1", metrics: [{ lock: "mtu" }] },
  { type: "blackhole", dst: "10.0.0.0/8", dev: "eth1" },
])("what it has no words for is no route to move", (json) => {
  expect(savedRoute(4, json)).toBeNull();
});

test("IPv6 shows two routes of one destination and metric as one", () => {
  const hop = (dev: string) => ({ gateway: "2001:db8::1", dev, weight: 1, flags: [] });
  const routes = separateHops({ dst: "default", metric: 1024, nexthops: [hop("eth1"), hop("br")] });
  expect(routes.map((json) => [json["dev"], savedRoute(6, json)?.words])).toEqual([
    ["eth1", "::/0 via 2001:db8::1 metric 1024"],
    ["br", "::/0 via 2001:db8::1 metric 1024"],
  ]);
  expect(
    separateHops({ dst: "default", nexthops: [{ dev: "eth1", weight: 2 }] }).map((one) => savedRoute(6, one)),
  ).toEqual([null]);
});

test("a lifetime goes on running down", () => {
  const route = { words: "::/0", expiresS: 100, isDefault: true };
  expect(expiryWords(route, 30.5)).toBe(" expires 69");
  expect(expiryWords(route, 100)).toBeNull();
  expect(expiryWords({ ...route, expiresS: null }, 1e9)).toBe("");
});
