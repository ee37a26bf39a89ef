import type { NetworkState } from "../../model/network-state.ts";

/** A host with a routed guest, and a guest behind NAT: one of everything that texts show. */
export const STATE: NetworkState = {
  "cloison.demo.host": {
    links: [
      { name: "lo", kind: "loopback", up: true, mtu: 65536, mac: null, master: null, peer: null, rpsCpus: [] },
      {
        name: "eth0",
        kind: "veth",
        up: true,
        mtu: 1500,
        mac: "00:16:3e:00:00:01",
        master: null,
        peer: { namespace: "cloison.demo.lan", name: "uplink0" },
        rpsCpus: [],
      },
      {
        name: "natbr1",
        kind: "bridge",
        up: true,
        mtu: 1500,
        mac: "00:16:3e:00:00:02",
        master: null,
        peer: null,
        rpsCpus: [],
      },
      {
        name: "vif1.0",
        kind: "veth",
        up: true,
        mtu: 1500,
        mac: "fe:ff:ff:ff:ff:ff",
        master: null,
        peer: { namespace: "cloison.demo.one", name: "eth0" },
        rpsCpus: [],
        shaping: { rateBitsPerSecond: 10_000_000 },
      },
      {
        name: "vif2.0",
        kind: "veth",
        up: false,
        mtu: 1400,
        mac: "fe:ff:ff:ff:ff:ff",
        master: "natbr1",
        peer: { namespace: "cloison.demo.two", name: "eth0" },
        rpsCpus: [],
        isolated: true,
      },
      {
        name: "eth1.2",
        kind: "vlan",
        up: true,
        mtu: 1500,
        mac: null,
        master: null,
        peer: null,
        rpsCpus: [],
        vlan: { parent: "eth1", id: 2 },
      },
    ],
    addresses: [
      { link: "eth0", address: "192.168.0.254", prefix: 24 },
      { link: "eth0", address: "2001:db8::1", prefix: 64 },
      { link: "natbr1", address: "10.0.0.1", prefix: 24 },
    ],
    routes: [
      { destination: "192.168.0.1/32", via: null, link: "vif1.0" },
      { destination: "default", via: "192.168.0.250", link: "eth0" },
      { destination: "::/0", via: "2001:db8::2", link: "eth0", onLink: true, source: "2001:db8::1" },
    ],
    neighbours: [{ link: "eth0", address: "192.168.0.1", mac: null, proxy: true }],
    sysctls: { "net.ipv4.ip_forward": "1" },
    tables: {
      "inet cloison-nat": {
        family: "inet",
        name: "cloison-nat",
        sets: [
          {
            name: "inner",
            type: ["ifname", "ipv4_addr"],
            elements: [{ elem: { val: { concat: ["vif2.0", "10.0.0.12"] }, comment: "two" } }],
          },
        ],
        chains: [
          {
            name: "postrouting",
            base: { type: "nat", hook: "postrouting", priority: 100, policy: "accept" },
            rules: [
              {
                comment: "private",
                expr: [
                  {
                    match: {
                      op: "==",
                      left: { payload: { protocol: "ip", field: "saddr" } },
                      right: { prefix: { addr: "10.0.0.0", len: 24 } },
                    },
                  },
                  { match: { op: "==", left: { meta: { key: "oifname" } }, right: "eth0" } },
                  { masquerade: null },
                ],
              },
            ],
          },
        ],
      },
    },
    switches: [
      {
        name: "ovsbr0",
        ports: [
          { link: "eth2", vlan: { trunk: [2, 3] }, guard: null },
          { link: "vif3.0", vlan: { access: 2 }, guard: { mac: "00:16:3e:00:00:03", addresses: ["10.2.0.13"] } },
        ],
      },
    ],
  },
};
