import { expect, test } from "vitest";
import type { Link, NetworkState } from "../model/network-state.ts";
import { guestWires, seenByGuest } from "./guest-wires.ts";
import type { Sighting } from "./sighting.ts";

const MAC = "00:16:3e:00:00:01";
const nic = { name: "eth0", kind: "nic", mac: MAC, peer: { namespace: "l.host", name: "vif1.0" } } as Link;
const state = (links: Link[]) => ({ links, addresses: [], routes: [], neighbours: [], sysctls: {}, tables: {} });
const NETWORK: NetworkState = {
  "l.host": state([{ ...nic, name: "vif1.0", kind: "tap", peer: { namespace: "l.www", name: "eth0" } }]),
  "l.www": { ...state([nic]), guest: true },
};
const AT_TAP = { namespace: "l.host", interface: "vif1.0", direction: "out", timeNs: 1000n } as Sighting;

test("what passes a tap passes the guest's interface, a moment later inwards and earlier outwards", () => {
  const wire = guestWires(NETWORK).get("l.host/vif1.0");
  if (wire === undefined) throw new Error("no wire");
  const inwards = seenByGuest(AT_TAP, wire, MAC);
  expect(inwards).toMatchObject({ namespace: "l.www", interface: "eth0", direction: "in", timeNs: 1001n });
  expect(inwards.forThisMachine).toBe(true);
  expect(seenByGuest(AT_TAP, wire, "ff:ff:ff:ff:ff:ff").forThisMachine).toBe(true);
  expect(seenByGuest(AT_TAP, wire, "00:16:3e:00:00:02").forThisMachine).toBe(false);
  const outwards = seenByGuest({ ...AT_TAP, direction: "in" }, wire, "00:16:3e:00:00:09");
  expect(outwards).toMatchObject({ direction: "out", forThisMachine: false, timeNs: 999n });
  expect(guestWires({ "l.host": state([nic]) }).size).toBe(0);
});
