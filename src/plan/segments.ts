import {
  companyLans,
  IMPLIED_LAN,
  lanOf,
  nicsOf,
  stationLan,
  subnetsOf,
  type CompanyLan,
} from "../model/lab-networks.ts";
import type { Lab } from "../model/lab.ts";
import { ExitCode, LabError } from "../model/error.ts";
import { addressPool, type AddressPool } from "./addresses.ts";
import type { Context } from "./merge.ts";

/** The subnets of a lab and who has which of their addresses. Several networks may share one: routed guests lie in a LAN. */
export interface Segments {
  lans: CompanyLan[];
  /** The LAN of the station and the outside machine. */
  station: CompanyLan;
  ofNetwork(name: string): AddressPool;
  ofLan(lan: CompanyLan): AddressPool;
  /** Of the station and the outside machine. */
  machines: { station: Addresses; outside: Addresses };
  /** The host's addresses on a LAN; null: it has none. */
  hostOn(lan: CompanyLan): Addresses | null;
}

export interface Addresses {
  address: string;
  address6: string | null;
}

/** @throws LabError for a network that the lab lacks */
export function planSegments(lab: Lab, contexts: readonly Context[]): Segments {
  const lans = companyLans(lab);
  const fixed = contexts.flatMap(({ domain }) =>
    nicsOf(lab, domain).flatMap(({ address, address6 }) => [
      ...(address === undefined || address === "dhcp" ? [] : [address]),
      ...(address6 === undefined ? [] : [address6]),
    ]),
  );
  if (lab.station.address !== undefined) fixed.push(lab.station.address);

  const lanPools = lans.map((lan) => addressPool(lan, fixed, lan.gateway));
  const pools = new Map<string, AddressPool>();
  for (const [name, network] of Object.entries(lab.networks)) {
    const lan = network.mode === "bridge" || network.mode === "routed" ? lanOf(lans, name, network) : null;
    const subnets = subnetsOf(lans, name, network);
    const pool = lan !== null ? lanPools[lan.index] : subnets === null ? undefined : addressPool(subnets, fixed, null);
    if (pool !== undefined) pools.set(name, pool);
  }
  const found = <T>(value: T | null | undefined, name: string): T => {
    if (value === null || value === undefined)
      throw new LabError(`${name} is not among the networks of lab ${lab.name}`, { exit: ExitCode.usage });
    return value;
  };
  const ofLan = (lan: CompanyLan) => found(lanPools[lan.index], lan.network ?? IMPLIED_LAN);
  const station = found(stationLan(lab, lans), lab.station.network ?? IMPLIED_LAN);
  const machineOn = (lan: CompanyLan, address = ofLan(lan).forMachine()): Addresses => ({
    address,
    address6: ofLan(lan).sixth(address),
  });
  const machines = { station: machineOn(station, lab.station.address), outside: machineOn(station) };
  const hosts = lans.map((lan) => (lan.host ? machineOn(lan) : null));
  return {
    lans,
    station,
    machines,
    ofNetwork: (name) => found(pools.get(name), name),
    ofLan,
    hostOn: (lan) => hosts[lan.index] ?? null,
  };
}
