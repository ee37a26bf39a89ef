import { describe, expect, test } from "vitest";
import { besides, guest, lines, WHERE } from "./fixture.ts";
import { mergeNetworkStates } from "./merge.ts";
import { natNetwork, type NatNetwork } from "./nat.ts";

describe("NAT mode", () => {
  const network: NatNetwork = {
    ...WHERE,
    name: "private",
    index: 0,
    subnet: "10.200.0.0/24",
    prefix: 24,
    gateway: { address: "10.200.0.1", mac: "00:16:3e:00:00:03" },
    outside: "10.23.0.250",
    leavesByDefault: true,
    forwards: [{ port: 8080, protocol: "tcp", to: { domain: "one", address: "10.200.0.11", port: 80 } }],
    isolatedPorts: false,
    mtu: 1500,
    vifs: [guest("one", 1, "10.200.0.11")],
  };
  const unguarded = (state: ReturnType<typeof natNetwork>) =>
    lines(state).filter((line) => !line.includes("cloison-guard"));

  test("a bridge with the gateway's address; what leaves is masqueraded, and forwards lead in from everywhere", () => {
    expect(unguarded(natNetwork(network))).toMatchInlineSnapshot(`
      [
        "host natbr0 bridge 00:16:3e:00:00:03",
        "host vif1.0 veth fe:ff:ff:ff:ff:ff in natbr0 to one/eth0",
        "host 10.200.0.1/24 on natbr0",
        "host net.bridge.bridge-nf-call-iptables=0",
        "host net.ipv4.ip_forward=1",
        "host net.ipv4.conf.all.send_redirects=0",
        "host net.ipv4.conf.default.send_redirects=0",
        "host net.ipv4.conf.all.rp_filter=0",
        "host net.ipv4.conf.default.rp_filter=0",
        "host net.ipv4.conf.natbr0.send_redirects=0",
        "host inet cloison-host forward: filter forward 0 accept",
        "host inet cloison-host forward: state established,related accept",
        "host inet cloison-host forward: oifname natbr0 status dnat accept",
        "host inet cloison-host forward: oifname natbr0 drop",
        "host inet cloison-host prerouting: nat prerouting -100 accept",
        "host inet cloison-host prerouting: ip daddr 10.23.0.250 tcp dport 8080 dnat ip:10.200.0.11:80",
        "host inet cloison-host output: nat output -100 accept",
        "host inet cloison-host output: ip daddr 10.23.0.250 tcp dport 8080 dnat ip:10.200.0.11:80",
        "host inet cloison-host postrouting: nat postrouting 100 accept",
        "host inet cloison-host postrouting: oifname != natbr0 ip saddr 10.200.0.0/24 masquerade",
        "host inet cloison-host postrouting: oifname natbr0 ip saddr 10.200.0.0/24 status dnat masquerade",
        "one eth0 veth 00:16:3e:00:01:01 to host/vif1.0",
        "one 10.200.0.11/24 on eth0",
        "one default via 10.200.0.1 dev eth0",
      ]
    `);
  });

  test("guests are kept apart by isolated ports; another LAN's address is set by translation", () => {
    const other = { ...network, isolatedPorts: true, leavesByDefault: false, forwards: [] };
    expect(besides(unguarded(natNetwork(other)), unguarded(natNetwork(network)))).toMatchInlineSnapshot(`
      [
        "host vif1.0 veth fe:ff:ff:ff:ff:ff in natbr0 to one/eth0 isolated",
        "host inet cloison-host postrouting: oifname != natbr0 ip saddr 10.200.0.0/24 snat ip:10.23.0.250",
      ]
    `);
  });

  test("two NAT networks share chains, each with its own rules", () => {
    const second = { ...network, name: "apart", index: 1, subnet: "10.201.0.0/24", forwards: [], vifs: [] };
    const both = mergeNetworkStates([natNetwork(network), natNetwork(second)]);
    const rules = both["l.host"]?.tables["inet cloison-host"]?.chains.find(({ name }) => name === "forward")?.rules;
    expect(rules?.map(({ comment }) => comment)).toEqual([
      undefined,
      "forwards into private",
      "nobody reaches into private",
      "forwards into apart",
      "nobody reaches into apart",
    ]);
  });
});
