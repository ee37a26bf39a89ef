import type { Host } from "../host/host.ts";
import { LabError } from "../model/error.ts";
import type { Switch, SwitchPort, Unmodelled } from "../model/network-state.ts";
import type { NamespaceName } from "../model/plan.ts";
import type { SwitchDriver } from "../netstate/switch-driver.ts";
import { readSwitches, type SwitchRecord } from "./database.ts";
import { flowText, guardOfPort, parseFlows, portFlows } from "./flows.ts";
import type { SwitchInstance } from "./instance.ts";
import { startSwitches, stopSwitches, switchesRun } from "./lifecycle.ts";
import { readPortLinks, type PortLink } from "./links.ts";
import { changeDatabase, dumpFlows, replaceFlows } from "./programs.ts";
import { switchTransactions, type PresentSwitch } from "./transactions.ts";

/** OFPP_MAX of OpenFlow 1.0, which Open vSwitch numbers ports by. */
const HIGHEST_PORT = 0xff00;

/** Open vSwitch as the switches of a lab: an instance for each namespace that has some, started when it is needed. */
export interface OpenSwitchDriver extends SwitchDriver {
  /** Flows that no guard explains. `apply` removes them. */
  observeUnmodelled(host: Host, namespace: NamespaceName): Promise<Unmodelled[]>;
}

/** @param instanceOf where the instance of a namespace is or would be */
export function createSwitchDriver(instanceOf: (namespace: NamespaceName) => SwitchInstance): OpenSwitchDriver {
  return {
    async observe(host, namespace) {
      const observed = await observe(host, instanceOf(namespace));
      return observed.filter(({ sound }) => sound).map(({ wholeSwitch }) => wholeSwitch);
    },

    async observeUnmodelled(host, namespace) {
      const observed = await observe(host, instanceOf(namespace));
      return observed.flatMap(({ wholeSwitch: { name }, record, foreignFlows }) =>
        foreignFlows.map((flow) => ({
          object: `OpenFlow of switch ${name}: ${flow}`,
          bearsOn: { link: portOf(flow, record) ?? name },
        })),
      );
    },

    async apply(host, namespace, wanted) {
      const instance = instanceOf(namespace);
      if (wanted.length === 0) return stopSwitches(host, instance);
      await startSwitches(host, instance);
      await applySwitches(host, instance, wanted);
    },
  };
}

interface Observed {
  record: SwitchRecord;
  sound: boolean;
  links: Map<string, PortLink>;
  flows: Set<string>;
  foreignFlows: string[];
  /** With the ports that really are attached. */
  wholeSwitch: Switch;
}

async function observe(host: Host, instance: SwitchInstance): Promise<Observed[]> {
  if (!(await switchesRun(host, instance))) return [];
  const records = await readSwitches(host, instance);
  const names = records.flatMap(({ ports }) => ports.map(({ link }) => link));
  const links = readPortLinks(host, instance.namespace, names);
  return Promise.all(
    records.map(async (record) => {
      const flows = new Set(parseFlows(await dumpFlows(host, instance, record.name)));
      const explained = new Set<string>();
      const ports = record.ports.flatMap((port): SwitchPort[] => {
        const { link, number, vlan, rateBitsPerSecond } = port;
        if (number === null || !isAttached(port, links)) return [];
        const { guard, flows: own } = guardOfPort(number, flows);
        for (const flow of own) explained.add(flow);
        return [{ link, vlan, guard, ...(rateBitsPerSecond === null ? {} : { rateBitsPerSecond }) }];
      });
      return {
        record,
        sound: record.sound,
        links,
        flows,
        foreignFlows: [...flows].filter((flow) => !explained.has(flow)),
        wholeSwitch: { name: record.name, ports },
      };
    }),
  );
}

function isAttached({ link, number }: { link: string; number: number | null }, links: Map<string, PortLink>): boolean {
  const there = links.get(link);
  return there !== undefined && there.taken && there.index === number;
}

function portOf(flow: string, { ports }: SwitchRecord): string | undefined {
  const number = Number(/,in_port=(\d+),/.exec(flow)?.[1]);
  return ports.find((port) => port.number === number)?.link;
}

async function applySwitches(host: Host, instance: SwitchInstance, wanted: readonly Switch[]): Promise<void> {
  const links = readPortLinks(
    host,
    instance.namespace,
    wanted.flatMap(({ ports }) => ports.map(({ link }) => link)),
  );
  const numberOf = (link: string) => portNumber(instance, links.get(link)?.index, link);
  const before = await observe(host, instance);
  const { remove, make } = switchTransactions(before.map(present), wanted, numberOf);
  if (remove.length > 0) await changeDatabase(host, instance, remove);
  if (make.length > 0) {
    await changeDatabase(host, instance, make);
    await checkPorts(host, instance, wanted);
  }
  for (const { name, ports } of wanted) {
    const flows = ports.flatMap(({ link, guard }) => portFlows(numberOf(link), guard)).map(flowText);
    const old = before.find(({ record }) => record.name === name)?.flows ?? new Set();
    if (flows.length === old.size && flows.every((flow) => old.has(flow))) continue;
    await replaceFlows(host, instance, name, flows.map((flow) => `${flow}\n`).join(""));
  }
}

/** A port has the index of its link for its number: one that was made anew is another port. */
function portNumber({ namespace }: SwitchInstance, index: number | undefined, link: string): number {
  if (index === undefined)
    throw new LabError(`a switch of ${namespace} wants the port ${link}, and there is no such link`);
  if (index < HIGHEST_PORT) return index;
  throw new LabError(
    `the link ${link} of ${namespace} has the index ${index}, and Open vSwitch counts to ${HIGHEST_PORT}`,
    {
      hint: "cloison down and up again: a new namespace counts from the beginning",
    },
  );
}

function present({ record: { name, sound, ports }, links }: Observed): PresentSwitch {
  return {
    name,
    sound,
    ports: ports.map((port) => ({
      link: port.link,
      attached: isAttached(port, links),
      vlan: port.vlan,
      qos: port.qos,
      ...(port.rateBitsPerSecond === null ? {} : { rateBitsPerSecond: port.rateBitsPerSecond }),
    })),
  };
}

/** ovs-vsctl succeeds also when a link cannot be opened. */
async function checkPorts(host: Host, instance: SwitchInstance, wanted: readonly Switch[]): Promise<void> {
  const records = await readSwitches(host, instance);
  for (const { name, ports } of wanted) {
    const record = records.find((one) => one.name === name);
    for (const { link } of ports) {
      const port = record?.ports.find((one) => one.link === link);
      if (port !== undefined && port.number !== null) continue;
      throw new LabError(
        `Open vSwitch cannot make ${link} a port of ${name}: ${port?.error ?? "it does not say why"}`,
        {
          hint: `see ${instance.directory}/ovs-vswitchd.log`,
        },
      );
    }
  }
}
