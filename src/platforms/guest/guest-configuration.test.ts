import { expect, test } from "vitest";
import type { Link, NamespaceState } from "../../model/network-state.ts";
import type { NftTable } from "../../model/nft.ts";
import type { DomainPlan } from "../../model/plan.ts";
import { guestConfiguration, networkScript } from "./guest-configuration.ts";

const DOMAIN = {
  name: "www",
  hostname: "www",
  recipe: { base: "minbase", packages: [], files: {}, commands: [], services: { web: { command: ["web", "it's"] } } },
  limits: { pids: 64 },
  vifs: [
    { vif: "vif1.0", guest: "eth0", defaultRoute: true, configuration: "static" },
    { vif: "vif1.1", guest: "eth1", defaultRoute: false, configuration: "dhcp" },
  ],
  services: ["web"],
  files: { "/etc/apache2/sites.conf": "site\n" },
} as unknown as DomainPlan;

const card = (name: string, mtu: number): Link => {
  return { name, kind: "nic", up: true, mtu, mac: null, master: null, peer: null, rpsCpus: [] };
};

const INSIDE: NamespaceState = {
  guest: true,
  links: [card("eth0", 1500), card("eth1", 1400)],
  addresses: [
    { link: "eth0", address: "10.23.0.11", prefix: 32 },
    { link: "eth0", address: "fd00:23::11", prefix: 128 },
  ],
  routes: [
    { destination: "default", via: "10.23.0.254", link: "eth0", onLink: true },
    { destination: "::/0", via: "fd00:23::254", link: "eth0", onLink: true },
    { destination: "10.9.0.0/24", via: "10.8.0.1", link: "eth1" },
  ],
  neighbours: [],
  leased: ["eth1"],
  sysctls: { "net.ipv4.ip_forward": "1", "net.ipv4.conf.eth0/5.rp_filter": "0" },
  tables: {},
};

test("a guest sets up what the plan says of it, in an order that the kernel takes", () => {
  const script = networkScript(DOMAIN, INSIDE).replaceAll("'/run/cloison/bin/busybox'", "busybox").replaceAll("'", "");
  expect(script.split("\n")).toEqual([
    "if [ -e /proc/sys/net/ipv4/ip_forward ]; then echo 1 >/proc/sys/net/ipv4/ip_forward; fi",
    "if [ -e /proc/sys/net/ipv4/conf/eth0.5/rp_filter ]; then echo 0 >/proc/sys/net/ipv4/conf/eth0.5/rp_filter; fi",
    "busybox ip link set lo up",
    "busybox ip link set eth0 mtu 1500",
    "busybox ip link set eth1 mtu 1400",
    "busybox ip link set eth0 up",
    "busybox ip link set eth1 up",
    "busybox ip -4 addr add 10.23.0.11/32 dev eth0",
    "busybox ip -6 addr add fd00:23::11/128 dev eth0",
    "busybox ip -4 route add default via 10.23.0.254 dev eth0 onlink",
    "busybox ip -6 route add default via fd00:23::254 dev eth0 onlink",
    "busybox ip -4 route add 10.9.0.0/24 via 10.8.0.1 dev eth1",
    "busybox udhcpc -f -i eth1 -T 1 -A 1 -x hostname:www -o -O subnet -s /run/cloison/lease &",
    "",
  ]);
});

test("what a guest is told: names, limits, files below their own folder, and its services without a DHCP client", () => {
  const told = guestConfiguration(DOMAIN, INSIDE);
  expect(told).toMatchObject({ hostname: "www\n", pids: "64\n", "files/etc/apache2/sites.conf": "site\n" });
  expect(told["services"]).toContain(String.raw`'web' 'it'\''s'`);
  expect(told["services"]).not.toContain("udhcpc");
  expect(guestConfiguration({ ...DOMAIN, services: [] }, INSIDE)["services"]).toBeUndefined();
});

test("rules of a domain that routes, and limits of what it sends, stand before its interfaces are up", () => {
  const table: NftTable = {
    family: "inet",
    name: "cloison-router",
    sets: [],
    chains: [
      {
        name: "forward",
        base: { type: "filter", hook: "forward", priority: 0, policy: "drop" },
        rules: [{ expr: [{ accept: null }] }],
      },
    ],
  };
  const inside = {
    ...INSIDE,
    links: [{ ...card("eth0", 1500), shaping: { rateBitsPerSecond: 2_000_000 } }],
    tables: { "inet cloison-router": table },
  };
  const told = guestConfiguration(DOMAIN, inside);
  expect(told["modules"]).toBe("nf_tables nft_ct sch_tbf sch_netem\n");
  expect(JSON.parse(told["rules/nft"] ?? "")).toMatchObject({
    nftables: [{ add: { table: { name: "cloison-router" } } }, { add: { chain: { policy: "drop" } } }, { add: {} }],
  });
  expect(told["rules/tc"]).toMatch(/^qdisc replace dev eth0 root tbf rate 2000000bit /);
  expect(networkScript(DOMAIN, inside).split("\n").slice(0, 2)).toEqual([
    "/run/cloison/programs/loader --library-path /run/cloison/programs /run/cloison/programs/nft -j -f - </run/cloison/rules/nft",
    "/run/cloison/programs/loader --library-path /run/cloison/programs /run/cloison/programs/tc -batch - </run/cloison/rules/tc",
  ]);
});
