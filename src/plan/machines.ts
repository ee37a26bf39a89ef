import type { Lab } from "../model/lab.ts";
import type { LabPlan, LanMachine } from "../model/plan.ts";
import { namespaceName } from "./namespace-name.ts";
import type { Segments } from "./segments.ts";

/** Name of the company's machine in a VLAN. */
export const outsideOf = (network: string) => `outside-${network}`;

/** The company's machines: the station and the outside machine on a LAN, and one in each VLAN. */
export function planMachines(lab: Lab, segments: Segments): LabPlan["machines"] {
  const machine = (name: string, address: string, prefix: number): LanMachine => ({
    name,
    namespace: namespaceName(lab.name, name),
    address,
    prefix,
  });
  const { prefix } = segments.ofLan(segments.station);
  const vlans = Object.entries(lab.networks).flatMap(([name, network]) => {
    if (network.mode !== "vlan") return [];
    const pool = segments.ofNetwork(name);
    return [[outsideOf(name), machine(outsideOf(name), pool.forMachine(), pool.prefix)] as const];
  });
  return {
    station: machine("station", segments.machines.station.address, prefix),
    outside: machine("outside", segments.machines.outside.address, prefix),
    ...Object.fromEntries(vlans),
  };
}
