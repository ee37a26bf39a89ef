import { isDeepStrictEqual } from "node:util";
import type { Switch, SwitchPort } from "../model/network-state.ts";
import { NO_VLAN } from "./database.ts";

/** A port as it is there. */
export interface PresentPort extends Omit<SwitchPort, "guard"> {
  /** It stands for the link of its name as that is now; else for one that is gone, or for none. */
  attached: boolean;
  qos: { table: "QoS" | "Queue"; id: string }[];
}

export interface PresentSwitch {
  name: string;
  sound: boolean;
  ports: PresentPort[];
}

/**
 * Arguments of ovs-vsctl that bring the switches that are there to those that are wanted: two transactions, each empty when
 * it has nothing to do. What is removed goes in the first, because within one transaction Open vSwitch takes a port that
 * goes and comes for one that stays.
 * @param numberOf the OpenFlow number that a link is to have
 */
export function switchTransactions(
  present: readonly PresentSwitch[],
  wanted: readonly Switch[],
  numberOf: (link: string) => number,
): { remove: string[]; make: string[] } {
  const remove: string[][] = [];
  const make: string[][] = [];
  for (const there of present) {
    const like = wanted.find(({ name }) => name === there.name);
    for (const port of there.ports) {
      const stays = port.attached && like?.ports.some(({ link }) => link === port.link);
      if (stays) continue;
      remove.push(["--if-exists", "del-port", there.name, port.link]);
      make.push(...forgetQos(port));
    }
    if (like === undefined) remove.push(["--if-exists", "del-br", there.name]);
  }
  for (const { name, ports } of wanted) {
    const there = present.find((one) => one.name === name);
    if (there?.sound !== true) {
      make.push(["--may-exist", "add-br", name]);
      make.push(["set", "Bridge", name, "datapath_type=netdev", "fail_mode=secure"]);
    }
    for (const port of ports) {
      const old = there?.ports.find(({ link, attached }) => attached && link === port.link);
      if (old !== undefined && isSame(old, port)) continue;
      // `linux-noop` leaves the queueing discipline as it is, so also that of a rate which is no longer wanted.
      if (old !== undefined && old.rateBitsPerSecond !== port.rateBitsPerSecond) {
        remove.push(["clear", "Port", port.link, "qos"]);
        make.push(...forgetQos(old));
      }
      make.push(...portCommands(name, port, numberOf(port.link)));
      if (old === undefined || old.rateBitsPerSecond !== port.rateBitsPerSecond) {
        make.push(...qosCommands(port, make.length));
      }
    }
  }
  const joined = (commands: string[][]) => commands.flatMap((command) => ["--", ...command]);
  return { remove: joined(remove), make: joined(make) };
}

function isSame(a: PresentPort, b: SwitchPort): boolean {
  return a.rateBitsPerSecond === b.rateBitsPerSecond && isDeepStrictEqual(inOrder(a.vlan), inOrder(b.vlan));
}

function inOrder(vlan: SwitchPort["vlan"]): SwitchPort["vlan"] {
  return "trunk" in vlan ? { trunk: vlan.trunk.toSorted((a, b) => a - b) } : vlan;
}

/** A row can go once nothing refers to it any more, and a port refers to it until its own transaction is over. */
function forgetQos({ qos }: PresentPort): string[][] {
  return qos.map(({ table, id }) => ["destroy", table, id]);
}

function portCommands(name: string, { link, vlan }: SwitchPort, number: number): string[][] {
  const trunks = "trunk" in vlan ? vlan.trunk : [];
  const columns =
    "access" in vlan
      ? ["vlan_mode=access", `tag=${vlan.access}`, "trunks=[]"]
      : ["vlan_mode=trunk", "tag=[]", `trunks=${(trunks.length === 0 ? [NO_VLAN] : trunks).join(",")}`];
  return [
    ["--may-exist", "add-port", name, link],
    ["set", "Port", link, ...columns],
    ["set", "Interface", link, `ofport_request=${number}`],
  ];
}

/**
 * Open vSwitch deletes queueing disciplines of others from its ports (netem's delay, TBF), unless the port has one that does
 * nothing. Of linux-htb, queue 0 is what frames go through that no flow gives another one.
 * @param unique distinguishes the rows of this transaction
 */
function qosCommands({ link, rateBitsPerSecond }: SwitchPort, unique: number): string[][] {
  const [qos, queue] = [`@qos${unique}`, `@queue${unique}`];
  const use = ["set", "Port", link, `qos=${qos}`];
  if (rateBitsPerSecond === undefined) return [use, [`--id=${qos}`, "create", "QoS", "type=linux-noop"]];
  const rate = `other_config:max-rate=${rateBitsPerSecond}`;
  return [
    use,
    [`--id=${qos}`, "create", "QoS", "type=linux-htb", rate, `queues:0=${queue}`],
    [`--id=${queue}`, "create", "Queue", rate],
  ];
}
