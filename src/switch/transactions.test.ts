import { describe, expect, test } from "vitest";
import type { SwitchPort } from "../model/network-state.ts";
import { switchTransactions, type PresentPort } from "./transactions.ts";

const port = (link: string, vlan: SwitchPort["vlan"] = { access: 2 }): SwitchPort => ({ link, vlan, guard: null });
const there = (link: string, more: Partial<PresentPort> = {}): PresentPort => ({
  link,
  attached: true,
  vlan: { access: 2 },
  qos: [{ table: "QoS", id: `qos-of-${link}` }],
  ...more,
});
const numberOf = (link: string) => Number(link.replace("vif", ""));
/** Commands, as a user would type them. */
const commands = (args: string[]) =>
  args
    .join(" ")
    .split("-- ")
    .slice(1)
    .map((text) => text.trim());
const plan = (
  ...given: Parameters<typeof switchTransactions> extends [infer A, infer B, ...unknown[]] ? [A, B] : never
) => {
  const { remove, make } = switchTransactions(...given, numberOf);
  return { remove: commands(remove), make: commands(make) };
};

describe("transactions of the database", () => {
  test("make a switch in which nothing passes before there are flows", () => {
    expect(plan([], [{ name: "sw0", ports: [port("vif1"), port("vif2", { trunk: [2, 3] })] }])).toEqual({
      remove: [],
      make: [
        "--may-exist add-br sw0",
        "set Bridge sw0 datapath_type=netdev fail_mode=secure",
        "--may-exist add-port sw0 vif1",
        "set Port vif1 vlan_mode=access tag=2 trunks=[]",
        "set Interface vif1 ofport_request=1",
        "set Port vif1 qos=@qos5",
        "--id=@qos5 create QoS type=linux-noop",
        "--may-exist add-port sw0 vif2",
        "set Port vif2 vlan_mode=trunk tag=[] trunks=2,3",
        "set Interface vif2 ofport_request=2",
        "set Port vif2 qos=@qos10",
        "--id=@qos10 create QoS type=linux-noop",
      ],
    });
  });

  test("touch nothing that is right", () => {
    const present = [{ name: "sw0", sound: true, ports: [there("vif1"), there("vif2", { vlan: { trunk: [2, 3] } })] }];
    const wanted = [{ name: "sw0", ports: [port("vif2", { trunk: [3, 2] }), port("vif1")] }];
    expect(plan(present, wanted)).toEqual({ remove: [], make: [] });
  });

  test("a trunk of no VLAN is not one of all", () => {
    const { make } = plan([], [{ name: "sw0", ports: [port("vif1", { trunk: [] })] }]);
    expect(make).toContain("set Port vif1 vlan_mode=trunk tag=[] trunks=4095");
  });

  test("remove a port, one whose link is gone, one that goes to another switch, and a switch, before they make any", () => {
    const present = [
      { name: "sw0", sound: true, ports: [there("vif1"), there("vif2", { attached: false }), there("vif3")] },
      { name: "sw1", sound: true, ports: [there("vif4")] },
    ];
    const wanted = [{ name: "sw0", ports: [port("vif2"), port("vif3"), port("vif4")] }];
    const { remove, make } = plan(present, wanted);
    expect(remove).toEqual([
      "--if-exists del-port sw0 vif1",
      "--if-exists del-port sw0 vif2",
      "--if-exists del-port sw1 vif4",
      "--if-exists del-br sw1",
    ]);
    expect(make.filter((text) => /add-port|destroy/.test(text))).toEqual([
      "destroy QoS qos-of-vif1",
      "destroy QoS qos-of-vif2",
      "destroy QoS qos-of-vif4",
      "--may-exist add-port sw0 vif2",
      "--may-exist add-port sw0 vif4",
    ]);
  });

  test("a rate replaces another after that was taken away", () => {
    const qos = [
      { table: "QoS" as const, id: "q" },
      { table: "Queue" as const, id: "z" },
    ];
    const present = [{ name: "sw0", sound: true, ports: [there("vif1", { rateBitsPerSecond: 1000, qos })] }];
    const { remove, make } = plan(present, [{ name: "sw0", ports: [{ ...port("vif1"), rateBitsPerSecond: 2000 }] }]);
    expect(remove).toEqual(["clear Port vif1 qos"]);
    expect(make).toEqual([
      "destroy QoS q",
      "destroy Queue z",
      "--may-exist add-port sw0 vif1",
      "set Port vif1 vlan_mode=access tag=2 trunks=[]",
      "set Interface vif1 ofport_request=1",
      "set Port vif1 qos=@qos5",
      "--id=@qos5 create QoS type=linux-htb other_config:max-rate=2000 queues:0=@queue5",
      "--id=@queue5 create Queue other_config:max-rate=2000",
    ]);
  });

  test("a switch that lets through what no flow is for is made right", () => {
    expect(plan([{ name: "sw0", sound: false, ports: [] }], [{ name: "sw0", ports: [] }]).make).toEqual([
      "--may-exist add-br sw0",
      "set Bridge sw0 datapath_type=netdev fail_mode=secure",
    ]);
  });
});
