import { describe, expect, test } from "vitest";
import type { NetworkState } from "../model/network-state.ts";
import { bridgeNetwork, type BridgeNetwork } from "./bridge.ts";
import { mergeNetworkStates } from "./merge.ts";

const NETWORK: BridgeNetwork = {
  index: 0,
  prefix: 24,
  lanNamespace: "cloison.l.lan",
  hostNamespace: "cloison.l.host",
  gateway: { address: "10.23.0.1", mac: "00:16:3e:00:00:01" },
  host: { address: "10.23.0.250", mac: "00:16:3e:00:00:02" },
  machines: [
    { name: "station", namespace: "cloison.l.station", address: "10.23.0.251", mac: "00:16:3e:00:00:03" },
    { name: "outside", namespace: "cloison.l.outside", address: "10.23.0.252", mac: "00:16:3e:00:00:04" },
  ],
  vifs: [
    {
      vif: "vif1.0",
      guest: "eth0",
      mac: "00:16:3e:00:01:01",
      address: "10.23.0.2",
      configuration: "static",
      namespace: "cloison.l.one",
    },
    {
      vif: "vif2.0",
      guest: "eth0",
      mac: "00:16:3e:00:01:02",
      address: "10.23.0.3",
      configuration: "dhcp",
      namespace: "cloison.l.two",
    },
  ],
  rpsCpus: { host: [0], guest: [0], lan: [1] },
};

/** The other network of a lab, on which domain two has a second interface. */
const SECOND: BridgeNetwork = {
  ...NETWORK,
  index: 1,
  gateway: { address: "10.24.0.1", mac: "00:16:3e:00:00:11" },
  host: { address: "10.24.0.250", mac: "00:16:3e:00:00:12" },
  machines: [],
  vifs: [
    {
      vif: "vif2.1",
      guest: "eth1",
      mac: "00:16:3e:00:01:12",
      address: "10.24.0.3",
      configuration: "static",
      namespace: "cloison.l.two",
    },
  ],
};

/** One line a thing, for reading. */
function lines(state: NetworkState): string[] {
  return Object.entries(state).flatMap(([namespace, { links, addresses, routes, leased = [] }]) => {
    const part = namespace.replace("cloison.l.", "");
    return [
      ...links.map(({ name, kind, mac, master, peer, rpsCpus }) =>
        [part, name, kind, mac, master && `in ${master}`, peer && `to ${peer.namespace}/${peer.name}`, `rps ${rpsCpus}`]
          .filter(Boolean)
          .join(" ")
          .replace("cloison.l.", ""),
      ),
      ...addresses.map(({ link, address, prefix }) => `${part} ${address}/${prefix} on ${link}`),
      ...routes.map(({ destination, via, link }) => `${part} ${destination} via ${via} on ${link}`),
      ...leased.map((link) => `${part} lease on ${link}`),
    ];
  });
}

describe("bridge mode", () => {
  test("joins the guests to the company LAN", () => {
    expect(lines(bridgeNetwork(NETWORK))).toEqual([
      "lan lo loopback rps ",
      "lan lan0 bridge 00:16:3e:00:00:01 rps ",
      "lan uplink0 veth fe:ff:ff:ff:ff:ff in lan0 to host/eth0 rps 1",
      "lan station veth fe:ff:ff:ff:ff:ff in lan0 to station/eth0 rps 1",
      "lan outside veth fe:ff:ff:ff:ff:ff in lan0 to outside/eth0 rps 1",
      "lan 10.23.0.1/24 on lan0",
      "host lo loopback rps ",
      "host xenbr0 bridge 00:16:3e:00:00:02 rps ",
      "host eth0 veth 00:16:3e:00:00:02 in xenbr0 to lan/uplink0 rps 0",
      "host vif1.0 veth fe:ff:ff:ff:ff:ff in xenbr0 to one/eth0 rps 0",
      "host vif2.0 veth fe:ff:ff:ff:ff:ff in xenbr0 to two/eth0 rps 0",
      "host 10.23.0.250/24 on xenbr0",
      "host default via 10.23.0.1 on xenbr0",
      "station lo loopback rps ",
      "station eth0 veth 00:16:3e:00:00:03 to lan/station rps 1",
      "station 10.23.0.251/24 on eth0",
      "station default via 10.23.0.1 on eth0",
      "outside lo loopback rps ",
      "outside eth0 veth 00:16:3e:00:00:04 to lan/outside rps 1",
      "outside 10.23.0.252/24 on eth0",
      "outside default via 10.23.0.1 on eth0",
      "one lo loopback rps ",
      "one eth0 veth 00:16:3e:00:01:01 to host/vif1.0 rps 0",
      "one 10.23.0.2/24 on eth0",
      "one default via 10.23.0.1 on eth0",
      "two lo loopback rps ",
      "two eth0 veth 00:16:3e:00:01:02 to host/vif2.0 rps 0",
      "two lease on eth0",
    ]);
  });

  test("a second network has bridges and cards of its own, and no second default route", () => {
    const both = lines(mergeNetworkStates([bridgeNetwork(NETWORK), bridgeNetwork(SECOND)]));
    const first = lines(bridgeNetwork(NETWORK));
    expect(both.filter((line) => !first.includes(line))).toEqual([
      "lan lan1 bridge 00:16:3e:00:00:11 rps ",
      "lan uplink1 veth fe:ff:ff:ff:ff:ff in lan1 to host/eth1 rps 1",
      "lan 10.24.0.1/24 on lan1",
      "host xenbr1 bridge 00:16:3e:00:00:12 rps ",
      "host eth1 veth 00:16:3e:00:00:12 in xenbr1 to lan/uplink1 rps 0",
      "host vif2.1 veth fe:ff:ff:ff:ff:ff in xenbr1 to two/eth1 rps 0",
      "host 10.24.0.250/24 on xenbr1",
      "two eth1 veth 00:16:3e:00:01:12 to host/vif2.1 rps 0",
      "two 10.24.0.3/24 on eth1",
    ]);
    expect(both).toHaveLength(first.length + 9);
  });

  test("the LAN routes between its networks, the host does not; nobody speaks IPv6", () => {
    const state = bridgeNetwork(NETWORK);
    expect(state["cloison.l.lan"]?.sysctls["net.ipv4.ip_forward"]).toBe("1");
    expect(state["cloison.l.host"]?.sysctls["net.ipv4.ip_forward"]).toBe("0");
    for (const { sysctls } of Object.values(state)) expect(sysctls["net.ipv6.conf.all.disable_ipv6"]).toBe("1");
  });

  test("every veth's ends name each other", () => {
    const state = mergeNetworkStates([bridgeNetwork(NETWORK), bridgeNetwork(SECOND)]);
    const veths = Object.entries(state).flatMap(([namespace, { links }]) =>
      links.filter(({ kind }) => kind === "veth").map((link) => ({ namespace, link })),
    );
    expect(veths).toHaveLength(14);
    for (const { namespace, link } of veths) {
      const other = state[link.peer?.namespace ?? ""]?.links.find(({ name }) => name === link.peer?.name);
      expect(other?.peer).toEqual({ namespace, name: link.name });
    }
  });
});

describe("mergeNetworkStates", () => {
  test("repetition changes nothing", () => {
    const state = bridgeNetwork(NETWORK);
    expect(mergeNetworkStates([state, state])).toEqual(state);
  });

  test("fragments that disagree are refused by name", () => {
    const state = (mtu: number, forward: string): NetworkState => ({
      a: {
        links: [{ name: "lo", kind: "loopback", up: true, mtu, mac: null, master: null, peer: null, rpsCpus: [] }],
        addresses: [],
        routes: [],
        neighbours: [],
        sysctls: { "net.ipv4.conf.all.rp_filter": forward },
        tables: {},
      },
    });
    expect(() => mergeNetworkStates([state(1, "0"), state(2, "0")])).toThrow("a: link lo: ");
    expect(() => mergeNetworkStates([state(1, "0"), state(1, "1")])).toThrow("a: sysctl net.ipv4.conf.all.rp_filter: ");
  });
});
