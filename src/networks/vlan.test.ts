import { describe, expect, test } from "vitest";
import { guest, lines, WHERE } from "./fixture.ts";
import { vlanNetworks, type VlanTrunk } from "./vlan.ts";

describe("VLAN mode", () => {
  const trunk: VlanTrunk = {
    ...WHERE,
    backend: "kernel",
    card: { name: "eth1", mac: "00:16:3e:00:00:05" },
    trunk: { mac: "00:16:3e:00:00:06" },
    mtu: 1500,
    vlans: [
      {
        id: 2,
        prefix: 24,
        prefix6: null,
        mtu: 1400,
        outside: { address: "10.2.0.254", mac: "00:16:3e:00:00:07", namespace: "l.outside-dmz" },
        vifs: [guest("one", 1, "10.2.0.11", { shaping: { in: { rateBitsPerSecond: 10e6, delayMs: 5 } } })],
      },
    ],
  };

  test("kernel: a sub-interface of the trunk and a bridge for each VLAN, on both sides", () => {
    expect(lines(vlanNetworks(trunk))).toMatchInlineSnapshot(`
      [
        "host eth1 veth 00:16:3e:00:00:05 to lan/trunk0",
        "host vif1.0 veth fe:ff:ff:ff:ff:ff mtu 1400 in vlanbr2 to one/eth0 {"rateBitsPerSecond":10000000,"delayMs":5}",
        "host vlanbr2 bridge 00:16:3e:00:00:05 mtu 1400",
        "host eth1.2 vlan 00:16:3e:00:00:05 mtu 1400 eth1 id 2 in vlanbr2",
        "host net.bridge.bridge-nf-call-iptables=0",
        "host net.ipv6.conf.vlanbr2.disable_ipv6=1",
        "host inet cloison-host @closed eth1, vlanbr2",
        "host inet cloison-host input: filter input 0 accept",
        "host inet cloison-host input: iifname @closed drop",
        "host inet cloison-host isolation: filter forward -10 accept",
        "host inet cloison-host isolation: iifname @closed drop",
        "host arp cloison-host @closed eth1, vlanbr2",
        "host arp cloison-host input: filter input 0 accept",
        "host arp cloison-host input: iifname @closed drop",
        "host bridge cloison-guard @vifs one vif1.0",
        "host bridge cloison-guard @macs one vif1.0 . 00:16:3e:00:01:01",
        "host bridge cloison-guard @addresses one vif1.0 . 10.2.0.11",
        "host bridge cloison-guard @addresses6 ",
        "host bridge cloison-guard prerouting: filter prerouting -200 accept",
        "host bridge cloison-guard prerouting: iifname != @vifs accept",
        "host bridge cloison-guard prerouting: iifname . ether saddr != @macs drop",
        "host bridge cloison-guard prerouting: iifname . arp saddr ether != @macs drop",
        "host bridge cloison-guard prerouting: arp saddr ip 0.0.0.0 accept",
        "host bridge cloison-guard prerouting: iifname . arp saddr ip != @addresses drop",
        "host bridge cloison-guard prerouting: ip saddr 0.0.0.0 udp sport 68 udp dport 67 accept",
        "host bridge cloison-guard prerouting: iifname . ip saddr != @addresses drop",
        "host bridge cloison-guard prerouting: ip6 saddr fe80::/10 icmpv6 type {nd-router-solicit,nd-neighbor-solicit,nd-neighbor-advert} accept",
        "host bridge cloison-guard prerouting: ip6 saddr :: icmpv6 type {nd-router-solicit,nd-neighbor-solicit,nd-neighbor-advert} accept",
        "host bridge cloison-guard prerouting: iifname . ip6 saddr != @addresses6 drop",
        "host bridge cloison-guard prerouting: protocol != {ip,arp,ip6} drop",
        "lan trunk0 veth 00:16:3e:00:00:06 to host/eth1",
        "lan outside.2 veth fe:ff:ff:ff:ff:ff mtu 1400 in vlan2 to outside-dmz/eth0",
        "lan vlan2 bridge 00:16:3e:00:00:06 mtu 1400",
        "lan trunk0.2 vlan 00:16:3e:00:00:06 mtu 1400 trunk0 id 2 in vlan2",
        "lan net.bridge.bridge-nf-call-iptables=0",
        "lan net.ipv6.conf.vlan2.disable_ipv6=1",
        "lan inet cloison-host @closed trunk0, vlan2",
        "lan inet cloison-host input: filter input 0 accept",
        "lan inet cloison-host input: iifname @closed drop",
        "lan inet cloison-host isolation: filter forward -10 accept",
        "lan inet cloison-host isolation: iifname @closed drop",
        "lan arp cloison-host @closed trunk0, vlan2",
        "lan arp cloison-host input: filter input 0 accept",
        "lan arp cloison-host input: iifname @closed drop",
        "outside-dmz eth0 veth 00:16:3e:00:00:07 mtu 1400 to lan/outside.2",
        "outside-dmz 10.2.0.254/24 on eth0",
        "one eth0 veth 00:16:3e:00:01:01 mtu 1400 to host/vif1.0",
        "one 10.2.0.11/24 on eth0",
      ]
    `);
  });

  test("Open vSwitch: a switch on each side, whose ports carry tags, guards and rates", () => {
    expect(lines(vlanNetworks({ ...trunk, backend: "openvswitch" }))).toMatchInlineSnapshot(`
      [
        "host eth1 veth 00:16:3e:00:00:05 to lan/trunk0",
        "host vif1.0 veth fe:ff:ff:ff:ff:ff mtu 1400 to one/eth0 {"delayMs":5}",
        "host ovsbr0 {"link":"eth1","vlan":{"trunk":[2]},"guard":null}",
        "host ovsbr0 {"link":"vif1.0","vlan":{"access":2},"guard":{"mac":"00:16:3e:00:01:01","addresses":["10.2.0.11"]},"rateBitsPerSecond":10000000}",
        "host inet cloison-host @closed eth1, vif1.0",
        "host inet cloison-host input: filter input 0 accept",
        "host inet cloison-host input: iifname @closed drop",
        "host inet cloison-host isolation: filter forward -10 accept",
        "host inet cloison-host isolation: iifname @closed drop",
        "host arp cloison-host @closed eth1, vif1.0",
        "host arp cloison-host input: filter input 0 accept",
        "host arp cloison-host input: iifname @closed drop",
        "lan trunk0 veth 00:16:3e:00:00:06 to host/eth1",
        "lan outside.2 veth fe:ff:ff:ff:ff:ff mtu 1400 to outside-dmz/eth0",
        "lan ovslan0 {"link":"trunk0","vlan":{"trunk":[2]},"guard":null}",
        "lan ovslan0 {"link":"outside.2","vlan":{"access":2},"guard":null}",
        "lan inet cloison-host @closed trunk0, outside.2",
        "lan inet cloison-host input: filter input 0 accept",
        "lan inet cloison-host input: iifname @closed drop",
        "lan inet cloison-host isolation: filter forward -10 accept",
        "lan inet cloison-host isolation: iifname @closed drop",
        "lan arp cloison-host @closed trunk0, outside.2",
        "lan arp cloison-host input: filter input 0 accept",
        "lan arp cloison-host input: iifname @closed drop",
        "outside-dmz eth0 veth 00:16:3e:00:00:07 mtu 1400 to lan/outside.2",
        "outside-dmz 10.2.0.254/24 on eth0",
        "one eth0 veth 00:16:3e:00:01:01 mtu 1400 to host/vif1.0",
        "one 10.2.0.11/24 on eth0",
      ]
    `);
  });
});
