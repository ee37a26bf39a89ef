import { expect, test } from "vitest";
import { cardState, PLAN, uplinkRecord } from "./fixture.ts";
import { joinSteps, leaveSteps, type UplinkState } from "./uplink-steps.ts";

const { bridge, wire, lanEnd } = PLAN;
const address = (words: string, label: string | null = null) => ({
  family: 4 as const,
  words,
  label,
  validS: null,
  preferredS: null,
});
const FIRST = address("10.0.0.2/24 broadcast 10.0.0.255 scope global", "eth1");
const SECOND = address("10.0.0.3/24 scope global", "eth1:a");
const DEFAULT = { words: "0.0.0.0/0 via 10.0.0.1 metric 100", expiresS: null, isDefault: true };
const CARD = cardState("eth1", { addresses: [FIRST, SECOND], routes: [DEFAULT] });
const RECORD = uplinkRecord({ card: CARD });
const BEFORE: UplinkState = { card: CARD, bridge: null, wire: null, lanEnd: null };
const JOINED: UplinkState = {
  card: cardState("eth1", { master: bridge }),
  bridge: cardState(bridge, { addresses: [FIRST, SECOND], routes: [DEFAULT] }),
  wire: cardState(wire, { master: bridge }),
  lanEnd: cardState(lanEnd, { master: "lan0" }),
};
const NOTHING = { prepare: [], lan: [], move: [] };

test("names fit into 15 bytes and are the same each time", () => {
  expect([bridge, wire, lanEnd]).toEqual(["clbr8c7d82cd", "clup8c7d82cd", "card0"]);
});

test("the bridge takes the card's place without a moment in which the machine has no address or no route", () => {
  expect(joinSteps(RECORD, BEFORE, 0)).toEqual({
    prepare: [
      `link add name ${bridge} address 02:00:00:00:00:07 mtu 1500 type bridge stp_state 0 forward_delay 0 mcast_snooping 0`,
      `link set dev ${bridge} addrgenmode none`,
      `link set dev ${bridge} up`,
      `link add name ${wire} address fe:ff:ff:ff:ff:ff mtu 1500 type veth peer name card0 address fe:ff:ff:ff:ff:ff mtu 1500 netns cloison.demo.lan`,
      `link set dev ${wire} master ${bridge} up`,
    ],
    lan: ["link set dev card0 master lan0 up"],
    move: [
      `address add 10.0.0.2/24 broadcast 10.0.0.255 scope global dev ${bridge}`,
      `address add 10.0.0.3/24 scope global dev ${bridge}`,
      `link set dev eth1 master ${bridge}`,
      `route append 0.0.0.0/0 via 10.0.0.1 metric 100 dev ${bridge}`,
      "route delete 0.0.0.0/0 via 10.0.0.1 metric 100 dev eth1",
      "address delete 10.0.0.3/24 dev eth1",
      "address delete 10.0.0.2/24 dev eth1",
    ],
  });
});

test("what is joined is left alone; a wire that went with the LAN's namespace is made anew, and the card not touched", () => {
  expect(joinSteps(RECORD, JOINED, 0)).toEqual(NOTHING);
  const steps = joinSteps(RECORD, { ...JOINED, wire: null, lanEnd: null }, 0);
  expect(steps.move).toEqual([]);
  expect(steps.prepare.map((line) => line.split(" ", 4).join(" "))).toEqual([
    `link add name ${wire}`,
    `link set dev ${wire}`,
  ]);
});

test("the card is put back with its labels, and the bridge goes last", () => {
  expect(leaveSteps(RECORD, JOINED, 0)).toEqual([
    "link set dev eth1 nomaster",
    "address add 10.0.0.2/24 broadcast 10.0.0.255 scope global dev eth1 label eth1",
    "address add 10.0.0.3/24 scope global dev eth1 label eth1:a",
    "route append 0.0.0.0/0 via 10.0.0.1 metric 100 dev eth1",
    `link delete dev ${bridge}`,
    `link delete dev ${wire}`,
  ]);
  expect(leaveSteps(RECORD, BEFORE, 0)).toEqual([]);
});

test("a card that was down is down again; its MTU is as it was; by another name it is still the card", () => {
  const record = uplinkRecord({ card: cardState("eth1", { up: false, mtu: 1400 }) });
  const now = { ...BEFORE, card: cardState("lan9", { mtu: 1500, master: bridge }) };
  expect(leaveSteps(record, now, 0)).toEqual([
    "link set dev lan9 nomaster",
    "link set dev lan9 mtu 1400",
    "link set dev lan9 down",
  ]);
});

test("of a card that has gone the bridge is removed", () => {
  expect(leaveSteps(RECORD, { ...JOINED, card: null }, 0)).toEqual([
    `link delete dev ${bridge}`,
    `link delete dev ${wire}`,
  ]);
});

test("what has run out meanwhile is not set again", () => {
  const record = uplinkRecord({ card: cardState("eth1", { addresses: [{ ...FIRST, validS: 60, preferredS: 60 }] }) });
  expect(leaveSteps(record, { ...BEFORE, card: cardState("eth1") }, 60)).toEqual([]);
});
