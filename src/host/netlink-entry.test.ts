import { describe, expect, test } from "vitest";
import {
  decodeAddress,
  decodeLink,
  decodeNamespaceId,
  decodeNeighbour,
  decodeQdisc,
  decodeRoute,
  decodeRule,
} from "./netlink-entry.ts";

function bytes(...parts: string[]): Buffer {
  return Buffer.from(parts.join("").replaceAll(" ", ""), "hex");
}

/** Payloads that Linux 6.18 sent; of links the attributes that are not read are left out, but for a few. */
describe("netlink entries", () => {
  test("a veth that is a port of a bridge, with its other end elsewhere", () => {
    const payload = bytes(
      "0000 0100 21000000 03100000 00000000",
      "0b00 0300 766966312e3000 00", // IFNAME
      "0800 0d00 e8030000", // TXQLEN
      "0500 1000 02 000000", // OPERSTATE
      "0800 0400 dc050000", // MTU
      "0800 0a00 20000000", // MASTER
      "0a00 0100 feffffffffff 0000", // ADDRESS
      // LINKINFO: KIND, SLAVE_KIND, SLAVE_DATA
      "2800 1200 0900 0100 76657468 00000000 0b00 0400 627269646765 0000 0c00 0500 0500 0100 03 000000",
      "0800 0500 22000000", // LINK
      "0800 2500 00000000", // LINK_NETNSID
    );
    expect(decodeLink(payload)).toEqual({
      index: 33,
      name: "vif1.0",
      kind: "veth",
      loopback: false,
      up: true,
      mtu: 1500,
      mac: "fe:ff:ff:ff:ff:ff",
      masterIndex: 32,
      peerIndex: 34,
      peerNamespaceId: 0,
      vlanId: null,
      isolated: false,
      peculiar: [],
      qdisc: null,
    });
  });

  test("an isolated port that learns nothing and has a TBF, an 802.1Q sub-interface, a bridge with VLAN filtering", () => {
    const port = bytes(
      "0000 0100 21000000 03100000 00000000",
      "0800 0600 74626600", // QDISC
      "3000 1200 0900 0100 76657468 00000000 0b00 0400 627269646765 0000", // LINKINFO: KIND, SLAVE_KIND
      "1400 0500 0500 0800 00 000000 0500 2100 01 000000", // SLAVE_DATA: LEARNING, ISOLATED
      "0c00 2b00 0500 0200 02 000000", // XDP: ATTACHED
    );
    expect(decodeLink(port)).toMatchObject({ isolated: true, peculiar: ["xdp", "learning off"], qdisc: "tbf" });
    const vlan = bytes(
      "0000 0100 23000000 03100000 00000000 0800 0500 21000000",
      "2400 1200 0900 0100 766c616e 00000000 1400 0200 0600 0100 0200 0000 0600 0500 8100 0000",
    );
    expect(decodeLink(vlan)).toMatchObject({ kind: "vlan", vlanId: 2, peerIndex: 33, peerNamespaceId: null });
    const filtering = bytes(
      "0000 0100 20000000 03100000 00000000 1c00 1200 0b00 0100 627269646765 0000 0c00 0200 0500 0700 01 000000",
    );
    expect(decodeLink(filtering)).toMatchObject({ kind: "bridge", peculiar: ["vlan_filtering 1"] });
  });

  test("rules of policy routing", () => {
    // `ip rule`'s own `32766: from all lookup main`, as Linux 6.18 sends it, and `100: from 10.0.0.0/8 lookup 5`.
    const main = bytes(
      "02000000 fe000001 00000000 0800 0f00 fe000000 0800 0e00 ffffffff 0800 0600 fe7f0000 0500 1500 02000000",
    );
    expect(decodeRule(main)).toMatchObject({ family: 2, priority: 32766, table: 254, plain: true, source: null });
    const own = bytes("02000800 05000001 00000000 0800 0f00 05000000 0800 0600 64000000 0800 0200 0a000000");
    expect(decodeRule(own)).toMatchObject({ priority: 100, table: 5, plain: false, source: "10.0.0.0/8" });
  });

  test("qdiscs", () => {
    const clsact = bytes("00000000 21000000 0000ffff f1ffffff 00000000 0b00 0100 636c7361637400 00");
    const none = { rateBytesPerSecond: null, delayNs: null, loss: null };
    expect(decodeQdisc(clsact)).toEqual({ linkIndex: 33, kind: "clsact", ...none });
    const header = "00000000 05000000 00000100 ffffffff 02000000";
    // tc_tbf_qopt of 10 Mbit/s; with TCA_TBF_RATE64 of 40 Gbit/s; tc_netem_qopt of 10 ms and 1 %.
    const tbf =
      "0800 0100 74626600 2c00 0200 2800 0100 00010000 00000000 d0121300 000000000000000000000000 204e0000 e8030000 00000000";
    expect(decodeQdisc(bytes(`${header} ${tbf}`))).toEqual({
      linkIndex: 5,
      kind: "tbf",
      ...none,
      rateBytesPerSecond: 1_250_000,
    });
    const fast = `${tbf.replace("2c00 0200", "3800 0200")} 0c00 0400 00f2052a01000000`;
    expect(decodeQdisc(bytes(`${header} ${fast}`))).toMatchObject({ rateBytesPerSecond: 5_000_000_000 });
    const netem =
      "0a00 0100 6e6574656d00 0000 2800 0200 5a620200 e8030000 295c8f02 000000000000000000000000 0c00 0a00 8096980000000000";
    const { kind, delayNs, loss } = decodeQdisc(bytes(`${header} ${netem}`));
    expect([kind, delayNs, loss?.toFixed(6)]).toEqual(["netem", 10_000_000, "0.010000"]);
  });

  test("the loopback has no MAC worth telling", () => {
    const payload = bytes(
      "0000 0403 01000000 08000000 00000000 0700 0300 6c6f00 00 0800 0400 00000100 0a00 0100 000000000000 0000",
    );
    expect(decodeLink(payload)).toMatchObject({
      index: 1,
      name: "lo",
      kind: null,
      loopback: true,
      up: false,
      mtu: 65536,
      mac: null,
    });
  });

  test("addresses", () => {
    const v4 = bytes(
      "02188000 20000000 0800 0100 0a170001 0800 0200 0a170001 0800 0300 62723000 0800 0800 80000000",
      "1400 0600 ffffffffffffffff a75a0300 a75a0300",
    );
    expect(decodeAddress(v4)).toEqual({ linkIndex: 32, address: "10.23.0.1", prefix: 24, scope: 0, permanent: true });
    const v6 = bytes("0a40c0fd 20000000 1400 0100 fe8000000000000000 0000fffe000001 0800 0800 c0000000");
    expect(decodeAddress(v6)).toEqual({
      linkIndex: 32,
      address: "fe80::ff:fe00:1",
      prefix: 64,
      scope: 253,
      permanent: true,
    });
    // A lease: no IFA_F_PERMANENT. On a point-to-point link the own address is IFA_LOCAL.
    const leased = bytes("02200000 05000000 0800 0100 0a170001 0800 0200 0a170002 0800 0800 00000000");
    expect(decodeAddress(leased)).toMatchObject({ address: "10.23.0.2", permanent: false });
    expect(decodeAddress(bytes("1c 20 00 00 05000000 0800 0100 0a170001"))).toBeNull();
  });

  test("routes", () => {
    const gateway = bytes(
      "02100000 fe040001 00000000 0800 0f00 fe000000 0800 0100 0a090000 0800 0500 0a170007 0800 0400 20000000",
    );
    expect(decodeRoute(gateway)).toEqual({
      destination: "10.9.0.0/16",
      family: 2,
      via: "10.23.0.7",
      linkIndex: 32,
      table: 254,
      protocol: 4,
      type: 1,
      onLink: false,
      source: null,
      peculiar: [],
    });
    const local = bytes(
      "02200000 ff02fe02 00000000 0800 0f00 ff000000 0800 0100 0a170001 0800 0700 0a170001 0800 0400 20000000",
    );
    expect(decodeRoute(local)).toMatchObject({
      destination: "10.23.0.1/32",
      via: null,
      table: 255,
      protocol: 2,
      type: 2,
    });
    const fallback = bytes("02000000 fe030001 00000000 0800 0500 0a170001 0800 0400 20000000");
    expect(decodeRoute(fallback)).toMatchObject({ destination: "default", via: "10.23.0.1", table: 254, protocol: 3 });
    const fallback6 = bytes(
      "0a000000 fe040001 04000000 1400 0500 fd000000000000000000000000000001 0800 0400 20000000",
      "0c00 0800 0800 0200 dc050000", // METRICS
    );
    expect(decodeRoute(fallback6)).toMatchObject({ destination: "::/0", onLink: true, peculiar: ["metrics"] });
    const source = bytes("02100000 fe04fd01 00000000 0800 0100 0a090000 0800 0700 0a170002 0800 0400 20000000");
    expect(decodeRoute(source)).toMatchObject({ destination: "10.9.0.0/16", source: "10.23.0.2" });
    expect(decodeRoute(bytes("80000000 fe030001 00000000"))).toBeNull();
    const pathMtu = bytes("02200000 fe000001 00020000 0800 0100 0a660011 0800 0500 0a670001 0800 0400 20000000");
    expect(decodeRoute(pathMtu)).toBeNull();
  });

  test("neighbours: permanent, learned multicast, proxy", () => {
    expect(decodeNeighbour(bytes("02000000 20000000 80000001 0800 0100 0a170009 0a00 0200 020000000009 0000"))).toEqual(
      {
        linkIndex: 32,
        address: "10.23.0.9",
        mac: "02:00:00:00:00:09",
        proxy: false,
        permanent: true,
        usable: false,
      },
    );
    const multicast = bytes(
      "0a000000 20000000 40000005 1400 0100 ff020000000000000000000000000016 0a00 0200 333300000016 0000",
    );
    expect(decodeNeighbour(multicast)).toMatchObject({ address: "ff02::16", permanent: false });
    expect(decodeNeighbour(bytes("02000000 20000000 00000801 0800 0100 0a170008"))).toEqual({
      linkIndex: 32,
      address: "10.23.0.8",
      mac: null,
      proxy: true,
      permanent: true,
      usable: false,
    });
    const stale = bytes("02000000 20000000 04000001 0800 0100 0a170009 0a00 0200 020000000009 0000");
    expect(decodeNeighbour(stale)).toMatchObject({ permanent: false, usable: true });
    const failed = bytes("02000000 20000000 20000001 0800 0100 0a170009");
    expect(decodeNeighbour(failed)).toMatchObject({ permanent: false, usable: false });
  });

  test("ids of namespaces", () => {
    expect(decodeNamespaceId(bytes("00000000 0800 0100 07000000"))).toBe(7);
    expect(decodeNamespaceId(bytes("00000000 0800 0100 ffffffff"))).toBeNull();
  });
});
