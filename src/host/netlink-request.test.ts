import { describe, expect, test } from "vitest";
import { MessageWriter } from "./netlink-message.ts";
import { describeRequest, encodeRequest, type NetlinkRequest } from "./netlink-request.ts";

const vif = { index: 33, name: "vif1.0" };
const bridge = { index: 32, name: "xenbr0" };

/** Request, its bytes by fields, and its description. Addresses, routes and neighbours are what iproute2 6.1 sends, byte by byte. */
const GOLDEN: [NetlinkRequest, string[], string][] = [
  [
    {
      do: "add-veth",
      link: { ...vif, mac: "fe:ff:ff:ff:ff:ff", mtu: 1500, up: true, master: bridge },
      peer: { index: 34, name: "eth0", mac: "00:16:3e:01:02:03", mtu: 1500, namespaceFd: 7 },
    },
    [
      // NEWLINK, REQUEST|CREATE|EXCL
      "b8000000 1000 0106 05000000 00000000",
      "00 00 0000 21000000 01000000 01000000",
      "0b00 0300 76696631 2e300000", // IFNAME
      "0a00 0100 feffffffffff 0000", // ADDRESS
      "0800 0400 dc050000", // MTU
      "0800 0a00 20000000", // MASTER
      "0800 1f00 01000000 0800 2000 01000000", // queues
      "6000 1280", // LINKINFO
      "0900 0100 76657468 00 000000", // KIND
      "5000 0280 4c00 0180", // DATA, PEER
      "00 00 0000 22000000 00000000 00000000",
      "0900 0300 65746830 00 000000",
      "0a00 0100 00163e010203 0000",
      "0800 0400 dc050000",
      "0800 1f00 01000000 0800 2000 01000000",
      "0800 1c00 07000000", // NET_NS_FD
    ],
    "adding veth vif1.0 with its other end eth0",
  ],
  [
    { do: "add-bridge", link: { ...bridge, mac: null, mtu: 1500, up: true } },
    [
      "60000000 1000 0106 05000000 00000000",
      "00 00 0000 20000000 01000000 01000000",
      "0b00 0300 78656e62 723000 00",
      "0800 0400 dc050000",
      "2c00 1280 0b00 0100 62726964 676500 00",
      "1c00 0280",
      "0800 0500 00000000", // STP_STATE
      "0800 0100 00000000", // FORWARD_DELAY
      "0500 1700 00 000000", // MCAST_SNOOPING
    ],
    "adding bridge xenbr0",
  ],
  [
    { do: "change-link", link: vif, up: false, mtu: 1400, mac: "02:00:00:00:00:01", master: null },
    [
      "3c000000 1000 0100 05000000 00000000",
      "00 00 0000 21000000 00000000 01000000",
      "0a00 0100 020000000001 0000 0800 0400 78050000 0800 0a00 00000000",
    ],
    "setting vif1.0 to down, mtu 1400, mac 02:00:00:00:00:01, no master",
  ],
  [
    { do: "change-link", link: vif, mtu: 1400 },
    // No change mask: whether it is up is left alone.
    ["28000000 1000 0100 05000000 00000000", "00 00 0000 21000000 00000000 00000000", "0800 0400 78050000"],
    "setting vif1.0 to mtu 1400",
  ],
  [
    { do: "delete-link", link: vif },
    ["20000000 1100 0100 05000000 00000000", "00 00 0000 21000000 00000000 00000000"],
    "deleting link vif1.0",
  ],
  [
    { do: "add-address", link: vif, address: "10.23.0.2", prefix: 24 },
    ["28000000 1400 0106 05000000 00000000", "02 18 00 00 21000000", "0800 0200 0a170002 0800 0100 0a170002"],
    "adding address 10.23.0.2/24 to vif1.0",
  ],
  [
    { do: "delete-address", link: vif, address: "fd00::1", prefix: 64 },
    [
      "40000000 1500 0100 05000000 00000000",
      "0a 40 00 00 21000000",
      "1400 0200 fd000000000000000000000000000001",
      "1400 0100 fd000000000000000000000000000001",
    ],
    "deleting address fd00::1/64 from vif1.0",
  ],
  [
    { do: "add-address", link: vif, address: "fd00::1", prefix: 64 },
    // Flags: NODAD.
    [
      "40000000 1400 0106 05000000 00000000",
      "0a 40 02 00 21000000",
      "1400 0200 fd000000000000000000000000000001",
      "1400 0100 fd000000000000000000000000000001",
    ],
    "adding address fd00::1/64 to vif1.0",
  ],
  [
    { do: "add-vlan", link: { index: 35, name: "eth1.2", mac: null, mtu: 1500, master: bridge }, parent: vif, id: 2 },
    [
      "60000000 1000 0106 05000000 00000000",
      "00 00 0000 23000000 00000000 00000000",
      "0b00 0300 65746831 2e3200 00",
      "0800 0400 dc050000",
      "0800 0500 21000000", // LINK
      "0800 0a00 20000000", // MASTER
      "1c00 1280 0900 0100 766c616e 00 000000", // LINKINFO, KIND
      "0c00 0280 0600 0100 0200 0000", // DATA, VLAN_ID
    ],
    "adding eth1.2 for VLAN 2 of vif1.0",
  ],
  [
    { do: "isolate-port", link: vif, isolated: true },
    [
      "3c000000 1000 0100 05000000 00000000",
      "00 00 0000 21000000 00000000 00000000",
      "1c00 1280 0b00 0400 62726964 676500 00", // LINKINFO, SLAVE_KIND
      "0c00 0580 0500 2100 01 000000", // SLAVE_DATA, ISOLATED
    ],
    "setting bridge port vif1.0 isolated",
  ],
  [
    { do: "add-route", destination: "default", via: "10.23.0.1", link: vif },
    // Table main, protocol static, scope universe, unicast.
    [
      "2c000000 1800 0106 05000000 00000000",
      "02 00 00 00 fe 04 00 01 00000000",
      "0800 0500 0a170001 0800 0400 21000000",
    ],
    "adding route default via 10.23.0.1 on vif1.0",
  ],
  [
    { do: "add-route", destination: "default", via: "10.23.0.1", link: vif, onLink: true },
    [
      "2c000000 1800 0106 05000000 00000000",
      "02 00 00 00 fe 04 00 01 04000000",
      "0800 0500 0a170001 0800 0400 21000000",
    ],
    "adding route default via 10.23.0.1 on vif1.0",
  ],
  [
    { do: "add-route", destination: "default", via: "10.23.0.1", link: vif, source: "10.23.0.2" },
    [
      "34000000 1800 0106 05000000 00000000",
      "02 00 00 00 fe 04 00 01 00000000",
      "0800 0500 0a170001 0800 0400 21000000 0800 0700 0a170002",
    ],
    "adding route default via 10.23.0.1 on vif1.0",
  ],
  [
    { do: "add-route", destination: "::/0", via: "fd00::1", link: vif },
    [
      "38000000 1800 0106 05000000 00000000",
      "0a 00 00 00 fe 04 00 01 00000000",
      "1400 0500 fd000000000000000000000000000001 0800 0400 21000000",
    ],
    "adding route ::/0 via fd00::1 on vif1.0",
  ],
  [
    { do: "replace-route", destination: "192.168.7.0/24", via: null, link: vif },
    // CREATE|REPLACE; scope link.
    [
      "2c000000 1800 0105 05000000 00000000",
      "02 18 00 00 fe 04 fd 01 00000000",
      "0800 0100 c0a80700 0800 0400 21000000",
    ],
    "replacing route 192.168.7.0/24 on vif1.0",
  ],
  [
    { do: "delete-route", destination: "10.9.0.1", via: null, link: null },
    ["24000000 1900 0100 05000000 00000000", "02 20 00 00 fe 00 ff 00 00000000", "0800 0100 0a090001"],
    "deleting route 10.9.0.1",
  ],
  [
    { do: "add-neighbour", link: vif, address: "10.23.0.9", mac: "00:16:3e:01:02:03", proxy: false },
    [
      "30000000 1c00 0106 05000000 00000000",
      "02 00 0000 21000000 8000 00 00",
      "0800 0100 0a170009 0a00 0200 00163e010203 0000",
    ],
    "adding neighbour 10.23.0.9 on vif1.0",
  ],
  [
    { do: "delete-neighbour", link: vif, address: "10.23.0.9", mac: null, proxy: true },
    ["24000000 1d00 0100 05000000 00000000", "02 00 0000 21000000 8000 08 00", "0800 0100 0a170009"],
    "deleting proxy neighbour 10.23.0.9 on vif1.0",
  ],
  [
    { do: "add-neighbour", link: vif, address: "fd00::9", mac: null, proxy: true },
    [
      "30000000 1c00 0106 05000000 00000000",
      "0a 00 0000 21000000 8000 08 00",
      "1400 0100 fd000000000000000000000000000009",
    ],
    "adding proxy neighbour fd00::9 on vif1.0",
  ],
];

describe("netlink requests", () => {
  test.each(GOLDEN)("%o", (request, bytes, description) => {
    const out = new MessageWriter();
    encodeRequest(out, request, 5);
    expect(out.bytes().toString("hex")).toBe(bytes.join("").replaceAll(" ", ""));
    expect(describeRequest(request)).toBe(description);
  });

  test("flags are added, and messages stand one behind the other", () => {
    const out = new MessageWriter();
    encodeRequest(out, { do: "delete-link", link: vif }, 1);
    encodeRequest(out, { do: "delete-link", link: vif }, 2, 4);
    expect(out.length).toBe(64);
    expect(out.bytes().readUInt16LE(32 + 6)).toBe(5);
    expect(out.bytes().readUInt32LE(32 + 8)).toBe(2);
  });
});
