import { expect, test } from "vitest";
import { switchRecords } from "./database.ts";

const uuid = (id: string) => ["uuid", id];
const none = ["set", []];
const port = (name: string, more: object = {}) => ({
  _uuid: uuid(`port-${name}`),
  name,
  tag: none,
  trunks: none,
  vlan_mode: none,
  qos: none,
  interfaces: uuid(`interface-${name}`),
  ...more,
});
const one = (name: string, ofport: unknown, error: unknown = none) => ({
  _uuid: uuid(`interface-${name}`),
  ofport,
  error,
});

test("rows of the database are switches", () => {
  const bridges = [
    {
      name: "sw0",
      datapath_type: "netdev",
      fail_mode: "secure",
      ports: ["set", ["sw0", "a", "t", "all", "none", "lost"].map((name) => uuid(`port-${name}`))],
    },
    { name: "sw1", datapath_type: "netdev", fail_mode: none, ports: uuid("port-sw1") },
  ];
  const ports = [
    port("sw0"),
    port("a", { tag: 2, vlan_mode: "access", qos: uuid("q") }),
    port("t", { trunks: ["set", [30, 4]], vlan_mode: "trunk" }),
    port("all"),
    port("none", { trunks: 4095 }),
    port("lost", { tag: 3 }),
    port("sw1"),
  ];
  const interfaces = [
    one("sw0", 65534),
    one("a", 7),
    one("t", 8),
    one("all", 9),
    one("none", 10),
    one("lost", -1, "could not open network device lost (No such device)"),
    one("sw1", 65534),
  ];
  const qos = [
    {
      _uuid: uuid("q"),
      type: "linux-htb",
      other_config: ["map", [["max-rate", "8000000"]]],
      queues: ["map", [[0, uuid("z")]]],
    },
  ];
  const plain = { error: null, rateBitsPerSecond: null, qos: [] };
  const records = switchRecords([bridges, ports, interfaces, qos].map((rows) => ({ rows })));
  expect(records.map(({ name, sound }) => ({ name, sound }))).toEqual([
    { name: "sw0", sound: true },
    { name: "sw1", sound: false },
  ]);
  const [a, t, all, nothing, lost] = records[0]?.ports ?? [];
  expect(a).toEqual({
    link: "a",
    number: 7,
    error: null,
    vlan: { access: 2 },
    rateBitsPerSecond: 8_000_000,
    qos: [
      { table: "QoS", id: "q" },
      { table: "Queue", id: "z" },
    ],
  });
  expect(t).toEqual({ ...plain, link: "t", number: 8, vlan: { trunk: [4, 30] } });
  expect(all?.vlan).toMatchObject({ trunk: { length: 4096 } });
  expect(nothing?.vlan).toEqual({ trunk: [] });
  expect(lost).toMatchObject({ number: null, vlan: { access: 3 } });
  expect(lost?.error).toContain("No such device");
});
