import { expect, test } from "vitest";
import { complaints, labText } from "./fixture.ts";

const nic = (text: string, more = "") => `a: { image: p, nics: [{ network: n, ${text} }]${more} }`;

test.each<[string, Parameters<typeof labText>[0], string[]]>([
  [
    "a multicast MAC",
    { domains: [nic("mac: '01:00:5e:00:00:01'")] },
    ["l.yaml:6:39 domains.a.nics.0.mac: 01:00:5e:00:00:01 is a multicast address: its first byte must be even"],
  ],
  [
    "a duplicate MAC",
    { domains: [nic("mac: '00:16:3e:00:00:01'"), nic("mac: '00:16:3e:00:00:01'").replace("a:", "b:")] },
    ["l.yaml:7:39 domains.b.nics.0.mac: 00:16:3e:00:00:01 is already a (eth0)'s"],
  ],
  [
    "a malformed MAC",
    { domains: [nic("mac: '00:16:3e:00:00'")] },
    ["l.yaml:6:39 domains.a.nics.0.mac: 00:16:3e:00:00 is not a MAC address, such as 00:16:3e:00:00:01, in lower case"],
  ],
  [
    "an MTU under 68",
    { networks: ["n: { subnet: 10.9.0.0/24, mtu: 67 }"] },
    ["l.yaml:4:29 networks.n.mtu: 67 is less than 68"],
  ],
  [
    "an MTU too small for IPv6",
    { networks: ["n: { subnet: 10.9.0.0/24, subnet6: 'fd00::/64', mtu: 1279 }"] },
    ["l.yaml:4:51 networks.n.mtu: 1279 is less than the 1280 that IPv6 needs"],
  ],
  [
    "an MTU over what the frames leave by",
    {
      top: ["trunk: { mtu: 1400 }"],
      networks: [
        "n: { subnet: 10.9.0.0/24, mtu: 1300 }",
        "m: { mode: nat, subnet: 10.8.0.0/24, mtu: 1301 }",
        "v: { mode: vlan, id: 2, subnet: 10.7.0.0/24, mtu: 1401 }",
      ],
    },
    [
      "l.yaml:6:40 networks.m.mtu: 1301 is more than the 1300 of the LAN that it leaves by",
      "l.yaml:7:48 networks.v.mtu: 1401 is more than the trunk's 1400",
    ],
  ],
  [
    "an interface name over 15 bytes",
    { networks: ["n: { subnet: 10.9.0.0/24, uplink: enp0s31f6-backup }"] },
    ["l.yaml:4:29 networks.n.uplink: enp0s31f6-backup is not the name of an interface: 15 bytes at most, no blanks"],
  ],
  [
    "IPv4 where IPv6 belongs, and the reverse",
    {
      networks: ["n: { subnet: 10.9.0.0/24, subnet6: 10.8.0.0/24 }", "m: { subnet: 'fd00::/64' }"],
      domains: [nic("address: 'fd00::5'"), nic("address6: 10.9.0.5").replace("a:", "b:")],
    },
    [
      "l.yaml:4:29 networks.n.subnet6: 10.8.0.0/24 is not an IPv6 CIDR block, such as fd00:23::/64",
      "l.yaml:5:8 networks.m.subnet: fd00::/64 is IPv6, and IPv4 belongs here: write subnet6",
      "l.yaml:7:39 domains.a.nics.0.address: fd00::5 is an IPv6 address, and IPv4 belongs here",
      "l.yaml:8:39 domains.b.nics.0.address6: 10.9.0.5 is not an IPv6 address, such as fd00:23::11",
    ],
  ],
  [
    "an IPv6 address where there is no IPv6",
    { domains: [nic("address6: 'fd00::5'")] },
    ["l.yaml:6:39 domains.a.nics.0.address6: fd00::5: network n has no subnet6"],
  ],
  [
    "subnets that overlap, private ones and the LAN's too",
    {
      top: ["lan: { subnet: 10.9.0.0/24 }"],
      networks: ["n: { mode: nat, subnet: 10.9.0.128/25 }", "m: { mode: isolated, subnet: 10.9.0.192/26 }"],
    },
    [
      "l.yaml:3:8 lan.subnet: 10.9.0.0/24 overlaps 10.9.0.128/25 of network n",
      "l.yaml:3:8 lan.subnet: 10.9.0.0/24 overlaps 10.9.0.192/26 of network m",
      "l.yaml:6:24 networks.m.subnet: 10.9.0.192/26 overlaps 10.9.0.128/25 of network n",
    ],
  ],
  [
    "an IPv6 subnet that is smaller than the IPv4 one",
    { networks: ["n: { subnet: 10.9.0.0/24, subnet6: 'fd00::/121' }"] },
    ["l.yaml:4:29 networks.n.subnet6: fd00::/121 is too small: 10.9.0.0/24 has more addresses"],
  ],
])("%s is told at its line", (_what, parts, expected) => {
  expect(complaints(labText(parts))).toEqual(expected);
});
