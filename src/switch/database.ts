import type { Host } from "../host/host.ts";
import type { SwitchPort } from "../model/network-state.ts";
import type { SwitchInstance } from "./instance.ts";
import { askDatabase } from "./programs.ts";

/** A switch as the database has it; its guards are in the flows. */
export interface SwitchRecord {
  name: string;
  /** Userspace datapath, and nothing passes without a flow. */
  sound: boolean;
  ports: PortRecord[];
}

export interface PortRecord {
  link: string;
  /** OpenFlow number that ovs-vswitchd gave it; null: it could not open the link, or has not yet. */
  number: number | null;
  /** Why it could not. */
  error: string | null;
  vlan: SwitchPort["vlan"];
  rateBitsPerSecond: number | null;
  /** Rows that say how it sends. The database keeps them when the port goes. */
  qos: { table: "QoS" | "Queue"; id: string }[];
}

/** Ids 1 to 4094 are VLANs. This one stands for none, because Open vSwitch takes an empty list for all. */
export const NO_VLAN = 4095;
const EVERY_VLAN = Array.from({ length: NO_VLAN + 1 }, (_, id) => id);

/** A value of the database (RFC 7047, 5.1): an atom, or a tagged list. */
type Value = string | number | boolean | [string, unknown];
type Row = Record<string, Value>;

const QUERIES = {
  Bridge: ["name", "ports", "datapath_type", "fail_mode"],
  Port: ["_uuid", "name", "tag", "trunks", "vlan_mode", "qos", "interfaces"],
  Interface: ["_uuid", "ofport", "error"],
  QoS: ["_uuid", "type", "other_config", "queues"],
};

export async function readSwitches(host: Host, instance: SwitchInstance): Promise<SwitchRecord[]> {
  const operations = Object.entries(QUERIES).map(([table, columns]) => ({ op: "select", table, where: [], columns }));
  return switchRecords(await askDatabase(host, instance, operations));
}

/** @param answers to the queries above */
export function switchRecords(answers: unknown): SwitchRecord[] {
  const [bridges = [], ports = [], interfaces = [], qos = []] = (answers as { rows: Row[] }[]).map(({ rows }) => rows);
  const portById = byId(ports);
  const interfaceById = byId(interfaces);
  const qosById = byId(qos);
  return bridges.map((bridge) => {
    const name = String(bridge["name"]);
    const rows = ids(bridge["ports"]).flatMap((id): Row[] => {
      const row = portById.get(id);
      return row === undefined ? [] : [row];
    });
    return {
      name,
      sound: bridge["datapath_type"] === "netdev" && members(bridge["fail_mode"])[0] === "secure",
      ports: rows
        .filter((port) => port["name"] !== name)
        .map((port) => portRecord(port, interfaceById.get(ids(port["interfaces"])[0] ?? ""), qosById)),
    };
  });
}

function portRecord(port: Row, one: Row | undefined, qosById: Map<string, Row>): PortRecord {
  const number = Number(members(one?.["ofport"])[0] ?? -1);
  const error = members(one?.["error"])[0];
  const qosId = ids(port["qos"])[0];
  const qos = qosId === undefined ? undefined : qosById.get(qosId);
  const rate = qos?.["type"] === "linux-htb" ? pairs(qos["other_config"]).get("max-rate") : undefined;
  return {
    link: String(port["name"]),
    number: number > 0 ? number : null,
    error: error === undefined ? null : String(error),
    vlan: vlanOf(port),
    rateBitsPerSecond: rate === undefined ? null : Number(rate),
    qos:
      qosId === undefined
        ? []
        : [
            { table: "QoS", id: qosId },
            ...[...pairs(qos?.["queues"]).values()].flatMap(ids).map((id) => ({ table: "Queue" as const, id })),
          ],
  };
}

function vlanOf(port: Row): SwitchPort["vlan"] {
  const tag = members(port["tag"])[0];
  const mode = members(port["vlan_mode"])[0] ?? (tag === undefined ? "trunk" : "access");
  if (mode === "access" && tag !== undefined) return { access: Number(tag) };
  const trunk = members(port["trunks"]).map(Number);
  if (trunk.length === 0) return { trunk: EVERY_VLAN };
  return { trunk: trunk.filter((id) => id !== NO_VLAN).toSorted((a, b) => a - b) };
}

function byId(rows: Row[]): Map<string, Row> {
  return new Map(rows.flatMap((row) => ids(row["_uuid"]).map((id) => [id, row] as const)));
}

/** Of a set, or of the one member that is written without one. */
function members(value: Value | undefined): Value[] {
  if (value === undefined) return [];
  return Array.isArray(value) && value[0] === "set" ? (value[1] as Value[]) : [value];
}

function ids(value: Value | undefined): string[] {
  return members(value).flatMap((one) => (Array.isArray(one) && one[0] === "uuid" ? [String(one[1])] : []));
}

function pairs(value: Value | undefined): Map<string, Value> {
  return new Map(
    Array.isArray(value) && value[0] === "map"
      ? (value[1] as [string | number, Value][]).map(([key, one]) => [String(key), one])
      : [],
  );
}
