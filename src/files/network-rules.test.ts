import { expect, test } from "vitest";
import { complaints, labText } from "./fixture.ts";

const NAT = "n: { mode: nat, subnet: 10.9.0.0/24, forward: [{ port: 80, to: 'a:80' }] }";
const WEB = "a: { image: p, listen: [80/tcp] }";
const nic = (text: string, more = "") => `a: { image: p, nics: [{ network: n, ${text} }]${more} }`;

test.each<[string, Parameters<typeof labText>[0], string[]]>([
  [
    "a mode that is none",
    { networks: ["n: { mode: nta, subnet: 10.9.0.0/24 }"] },
    ["l.yaml:4:8 networks.n.mode: nta is not one of bridge, routed, nat, isolated, vlan; did you mean nat?"],
  ],
  [
    "a key of another mode",
    { networks: ["n: { mode: nat, subnet: 10.9.0.0/24, host: false }"] },
    ["l.yaml:4:40 networks.n.host: unknown key; known here: mode, subnet, lan, forward, ports, mtu, antispoof"],
  ],
  [
    "a forward to a domain that is none",
    { networks: [NAT.replace("a:80", "b:80")], domains: [WEB] },
    ["l.yaml:4:62 networks.n.forward.0.to: b is not a domain of this lab"],
  ],
  [
    "a forward to a service that is not declared",
    { networks: [NAT.replace("a:80", "a:81")], domains: [WEB] },
    ["l.yaml:4:62 networks.n.forward.0.to: a does not listen on 81/tcp (it listens on 80/tcp)"],
  ],
  [
    "a forward to a domain of another network",
    { networks: ["m: { subnet: 10.8.0.0/24 }", NAT], domains: [WEB] },
    ["l.yaml:5:62 networks.n.forward.0.to: a has no interface on network n"],
  ],
  [
    "two forwards on one port, of two networks",
    {
      networks: [NAT, NAT.replace("n:", "m:").replace("10.9", "10.8")],
      domains: ["a: { image: p, listen: [80/tcp], nics: [{ network: n }, { network: m }] }"],
    },
    ["l.yaml:5:52 networks.m.forward.0.port: 80/tcp of the host is already forwarded to a:80"],
  ],
  [
    "a forward that is written wrongly",
    { networks: [NAT.replace("'a:80'", "a")], domains: [WEB] },
    ["l.yaml:4:62 networks.n.forward.0.to: a is not a domain and a port, such as apache1:80"],
  ],
  [
    "VLAN id 0",
    { networks: ["n: { mode: vlan, id: 0, subnet: 10.9.0.0/24 }"] },
    ["l.yaml:4:20 networks.n.id: 0 is less than 1"],
  ],
  [
    "VLAN id 4095",
    { networks: ["n: { mode: vlan, id: 4095, subnet: 10.9.0.0/24 }"] },
    ["l.yaml:4:20 networks.n.id: 4095 is more than 4094"],
  ],
  [
    "a VLAN without a trunk",
    { top: ["trunk: false"], networks: ["n: { mode: vlan, id: 2, subnet: 10.9.0.0/24 }"] },
    ["l.yaml:5:8 networks.n.mode: a VLAN without a trunk: this lab says trunk: false"],
  ],
  [
    "one VLAN twice",
    { networks: ["n: { mode: vlan, id: 2, subnet: 10.9.0.0/24 }", "m: { mode: vlan, id: 2, subnet: 10.8.0.0/24 }"] },
    ["l.yaml:5:20 networks.m.id: 2 is already the VLAN of network n"],
  ],
  [
    "two backends on one trunk",
    {
      networks: [
        "n: { mode: vlan, id: 2, backend: kernel, subnet: 10.9.0.0/24 }",
        "m: { mode: vlan, id: 3, backend: openvswitch, subnet: 10.8.0.0/24 }",
      ],
    },
    ["l.yaml:5:27 networks.m.backend: all VLANs share one trunk, and network n wants kernel"],
  ],
  [
    "a subnet that is too small, in each mode",
    {
      networks: [
        "n: { subnet: 10.9.0.0/30 }",
        "m: { mode: nat, subnet: 10.8.0.0/31 }",
        "o: { mode: routed, subnet: 10.7.0.0/30 }",
      ],
    },
    [
      "l.yaml:4:8 networks.n.subnet: 10.9.0.0/30 is too small: the company LAN alone needs a /29",
      "l.yaml:5:19 networks.m.subnet: 10.8.0.0/31 is too small: two machines need a /30",
      "l.yaml:6:22 networks.o.subnet: 10.7.0.0/30 is too small: the company LAN alone needs a /29",
    ],
  ],
  [
    "more guests than a private subnet has room for",
    { networks: ["n: { mode: nat, subnet: 10.9.0.0/30 }"], domains: ["a: { image: p, count: 2 }"] },
    ["l.yaml:4:19 networks.n.subnet: 10.9.0.0/30 has room for 1 domains, and 2 interfaces want an address"],
  ],
  [
    "a routed guest outside the LAN's subnet",
    {
      networks: ["lan: { subnet: 10.9.0.0/24 }", "n: { mode: routed, lan: lan }"],
      domains: [nic("address: 10.8.0.5")],
    },
    ["l.yaml:7:39 domains.a.nics.0.address: 10.8.0.5 is outside 10.9.0.0/24 of network n"],
  ],
  [
    "a guest with the gateway's address",
    { networks: [NAT.replace(", forward: [{ port: 80, to: 'a:80' }]", "")], domains: [nic("address: 10.9.0.1")] },
    ["l.yaml:6:39 domains.a.nics.0.address: 10.9.0.1 is the gateway's"],
  ],
  [
    "a LAN that is none",
    { networks: ["n: { mode: routed, lan: m }"] },
    ["l.yaml:4:22 networks.n.lan: m is not among the networks of this lab (n)"],
  ],
  [
    "a LAN of a network that has none",
    {
      networks: [
        "v: { mode: isolated, subnet: 10.8.0.0/24 }",
        "n: { mode: routed, lan: v }",
        "m: { mode: nat, lan: v, subnet: 10.7.0.0/24 }",
      ],
    },
    [
      "l.yaml:5:22 networks.n.lan: v is in isolated mode: only a bridge network has a LAN to lie in",
      "l.yaml:6:19 networks.m.lan: v is in isolated mode, and has no LAN of its own to leave by",
    ],
  ],
  [
    "a LAN without the host",
    {
      networks: [
        "v: { subnet: 10.8.0.0/24, host: false }",
        "n: { mode: routed, lan: v }",
        "m: { mode: nat, subnet: 10.7.0.0/24 }",
      ],
    },
    [
      "l.yaml:5:22 networks.n.lan: the host has no address on v (host: false), and so can't route there",
      "l.yaml:6:3 networks.m: the host has an address on no LAN of this lab, so that nothing can leave by it",
    ],
  ],
  [
    "a routed network with two LANs, or none",
    {
      networks: [
        "b: { subnet: 10.8.0.0/24 }",
        "n: { mode: routed }",
        "m: { mode: routed, lan: b, subnet: 10.7.0.0/24, subnet6: 'fd00::/64' }",
      ],
    },
    [
      "l.yaml:5:3 networks.n: needs a subnet of its own, or the name of a bridge network as lan",
      "l.yaml:6:30 networks.m.subnet: its guests lie in the LAN of b: leave subnet or lan out",
      "l.yaml:6:51 networks.m.subnet6: its guests lie in the LAN of b: say subnet6 there",
    ],
  ],
  [
    "a second company LAN",
    { top: ["lan: { subnet: 10.8.0.0/24 }"] },
    ["l.yaml:3:1 lan: this lab has a LAN already, that of network n"],
  ],
  [
    "DHCP where nobody serves it",
    {
      networks: ["n: { mode: routed, subnet: 10.9.0.0/24 }", "m: { mode: isolated, subnet: 10.8.0.0/24 }"],
      domains: ["a: { image: p, nics: [{ network: n, address: dhcp }, { network: m, address: dhcp }] }"],
    },
    [
      "l.yaml:7:39 domains.a.nics.0.address: guests of a routed network are static: no DHCP server reaches them",
      "l.yaml:7:70 domains.a.nics.1.address: nobody serves DHCP there: an isolated network has a server with host: true",
    ],
  ],
  [
    "a station that is not on the company LAN",
    { top: ["station: { network: n }"], networks: ["n: { mode: nat, subnet: 10.9.0.0/24 }"] },
    ["l.yaml:3:12 station.network: n is in nat mode: the station is a machine of the company LAN"],
  ],
  [
    "a name that is kept for the company's machines",
    { domains: ["outside-a: { image: p }"] },
    ["l.yaml:6:3 domains.outside-a: outside-a: outside-… are the company's machines in VLANs"],
  ],
  [
    "routes that lead nowhere",
    {
      domains: ["a: { image: p, routes: [{ to: 10.3.0.0/24, via: 10.8.0.1 }, { to: 'fd01::/64', via: 10.9.0.5 }] }"],
    },
    [
      "l.yaml:6:46 domains.a.routes.0.via: 10.8.0.1 is in no subnet of this domain's networks (n)",
      "l.yaml:6:82 domains.a.routes.1.via: 10.9.0.5 is not of the same family as fd01::/64",
    ],
  ],
  [
    "a route through an interface whose routes DHCP sets",
    { domains: [nic("address: dhcp", ", routes: [{ to: 10.3.0.0/24, via: 10.9.0.7 }]")] },
    [
      "l.yaml:6:85 domains.a.routes.0.via: 10.9.0.7 is reached through a leased interface, whose routes its DHCP client sets",
    ],
  ],
  [
    "a router between networks that it is not on",
    {
      networks: ["n: { subnet: 10.9.0.0/24 }", "m: { mode: isolated, subnet: 10.8.0.0/24 }"],
      domains: ["a: { image: p, router: { allow: [{ from: n, to: m }] } }"],
    },
    [
      "l.yaml:7:18 domains.a.router: a domain that routes needs two interfaces",
      "l.yaml:7:47 domains.a.router.allow.0.to: a has no interface on network m (n)",
    ],
  ],
  [
    "one MAC or address for several domains",
    {
      domains: ["a: { image: p, count: 3, nics: [{ network: n, mac: '00:16:3e:00:00:01', address: 10.9.0.5 }] }"],
    },
    [
      "l.yaml:6:49 domains.a.nics.0.mac: one MAC can't serve several domains: leave it out with count",
      "l.yaml:6:75 domains.a.nics.0.address: one address can't serve several domains: leave it out with count",
    ],
  ],
  [
    "a service that is no port",
    { domains: ["a: { image: p, listen: [80, 0/tcp] }"] },
    [
      "l.yaml:6:27 domains.a.listen.0: must be text, not 80",
      "l.yaml:6:31 domains.a.listen.1: 0/tcp has no port of 1 to 65535",
    ],
  ],
])("%s is told at its line", (_what, parts, expected) => {
  expect(complaints(labText(parts))).toEqual(expected);
});
