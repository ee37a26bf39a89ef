import type { CardState } from "./observe-card.ts";
import type { UplinkRecord } from "./uplink-record.ts";
import { planUplink } from "./plan-uplink.ts";

export const PLAN = planUplink({ lab: "demo", lanNamespace: "cloison.demo.lan" }, 0, "eth1");

/** An interface that is up and has nothing. */
export function cardState(name: string, changes: Partial<CardState> = {}): CardState {
  return {
    name,
    index: 7,
    mac: "02:00:00:00:00:07",
    mtu: 1500,
    up: true,
    master: null,
    kind: null,
    type: "ether",
    hasIpv6: false,
    addresses: [],
    routes: [],
    strange: [],
    ...changes,
  };
}

export function uplinkRecord(changes: Partial<UplinkRecord> = {}): UplinkRecord {
  return {
    bootId: "00000000-0000-4000-8000-000000000000",
    namespace: "net:[1]",
    readS: 100,
    plan: PLAN,
    card: cardState("eth1"),
    confirm: { deadlineS: 160, confirmed: false },
    ...changes,
  };
}
