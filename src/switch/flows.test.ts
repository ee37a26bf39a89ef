import { describe, expect, test } from "vitest";
import { flowText, guardOfPort, NOTHING_ENTERS, parseFlows, portFlows } from "./flows.ts";

const guard = { mac: "00:16:3e:00:00:01", addresses: ["10.1.1.1", "fd00::1"] };
const texts = (port: number, of: typeof guard | null) => portFlows(port, of).map(flowText);

describe("flows of a port", () => {
  test("without a guard let everything in", () => {
    expect(texts(3, null)).toEqual(["cookie=0x3,priority=1,in_port=3,actions=NORMAL"]);
  });

  test("with one let in what is its own, DHCP and neighbour discovery, and drop the rest", () => {
    const own = "cookie=0x1f,priority=100,";
    expect(texts(31, { mac: guard.mac, addresses: ["10.1.1.1"] })).toEqual([
      `${own}arp,arp_sha=00:16:3e:00:00:01,arp_spa=10.1.1.1,dl_src=00:16:3e:00:00:01,in_port=31,actions=NORMAL`,
      `${own}dl_src=00:16:3e:00:00:01,in_port=31,ip,nw_src=10.1.1.1,actions=NORMAL`,
      `${own}dl_src=00:16:3e:00:00:01,in_port=31,nw_src=0.0.0.0,tp_dst=67,tp_src=68,udp,actions=NORMAL`,
      `${own}arp,arp_sha=00:16:3e:00:00:01,arp_spa=0.0.0.0,dl_src=00:16:3e:00:00:01,in_port=31,actions=NORMAL`,
      ...texts(31, guard).filter((text) => text.includes("icmp6") && !text.includes("fd00::1")),
      "cookie=0x1f,priority=1,in_port=31,actions=drop",
    ]);
  });

  test("write IPv6 as Open vSwitch prints it", () => {
    const long = { mac: guard.mac, addresses: ["fd00:0:0:0::1"] };
    expect(texts(1, long)).toEqual(texts(1, { mac: guard.mac, addresses: ["fd00::1"] }));
  });
});

test("flows as ovs-ofctl dumps them are read as they were written", () => {
  const dump = `
 cookie=0x1, priority=300,icmp6,in_port=1,dl_src=00:16:3e:00:00:01,ipv6_src=::,icmp_type=135 actions=NORMAL
 cookie=0x1, priority=100,arp,in_port=1,dl_src=00:16:3e:00:00:01,arp_spa=10.1.1.1,arp_sha=00:16:3e:00:00:01 actions=NORMAL
 reset_counts in_port=2 actions=resubmit(,5),output:3
 cookie=0x1, priority=1,in_port=1 actions=drop
`;
  const [solicits, arp, foreign, drop] = parseFlows(dump);
  expect(texts(1, guard)).toEqual(expect.arrayContaining([solicits, arp, drop]));
  expect(foreign).toBe("cookie=0x0,priority=32768,in_port=2,reset_counts,actions=resubmit(,5),output:3");
});

describe("the guard that flows amount to", () => {
  const all = new Set(["cookie=0x0,priority=9,in_port=2,actions=drop", ...texts(1, guard), ...texts(2, null)]);
  const without = (pattern: RegExp) => new Set([...all].filter((text) => !pattern.test(text)));

  test("is that from which they were made", () => {
    expect(guardOfPort(1, all)).toEqual({ guard, flows: texts(1, guard) });
    expect(guardOfPort(2, all)).toEqual({ guard: null, flows: texts(2, null) });
  });

  test("lacks an address of which one is lost", () => {
    expect(guardOfPort(1, without(/arp_spa=10/)).guard).toEqual({ mac: guard.mac, addresses: ["fd00::1"] });
    expect(guardOfPort(1, without(/nd_target=fd00::1,nd_tll=0/)).guard).toEqual({
      mac: guard.mac,
      addresses: ["10.1.1.1"],
    });
  });

  test("lets nothing in when there are none, or when those for every guest are incomplete", () => {
    expect(guardOfPort(3, all)).toEqual({ guard: NOTHING_ENTERS, flows: [] });
    expect(guardOfPort(1, without(/tp_dst/)).guard).toEqual(NOTHING_ENTERS);
    expect(guardOfPort(1, without(/icmp_type=134/)).guard).toEqual(NOTHING_ENTERS);
  });
});
