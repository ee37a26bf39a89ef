import type { NetworkState } from "../model/network-state.ts";
import type { NftRule, NftTable } from "../model/nft.ts";
import type { CompanyLanInputs } from "./company-lan.ts";
import type { Guest } from "./guest.ts";

/** What tests of this folder share: guests, and a state as lines to read, one a thing. */
export function guest(name: string, id: number, address: string, changes: Partial<Guest> = {}): Guest {
  return {
    vif: `vif${id}.0`,
    guest: "eth0",
    mac: `00:16:3e:00:01:0${id}`,
    address,
    configuration: "static",
    namespace: `l.${name}`,
    guarded: name,
    ...changes,
  };
}

/** Where a network is, as the modes take it. */
export const WHERE = {
  hostNamespace: "l.host",
  lanNamespace: "l.lan",
  rpsCpus: { host: [], guest: [], lan: [] },
};

export const LAN: CompanyLanInputs = {
  ...WHERE,
  index: 0,
  prefix: 24,
  gateway: { address: "10.23.0.1", mac: "00:16:3e:00:00:01" },
  host: { address: "10.23.0.250", mac: "00:16:3e:00:00:02" },
  machines: [],
};

/** What is said of one state, and not of another. */
export const besides = (all: string[], other: string[]) => all.filter((line) => !other.includes(line));

/** Namespaces are named `l.<part>`; loopbacks, and that there is no IPv6, are left out. */
export function lines(state: NetworkState): string[] {
  return Object.entries(state).flatMap(([namespace, one]) => {
    const part = namespace.replace("l.", "");
    const said = [
      ...one.links.filter(({ kind }) => kind !== "loopback").map((link) => words(link)),
      ...one.addresses.map(({ link, address, prefix }) => `${address}/${prefix} on ${link}`),
      ...one.routes.map(
        ({ destination, via, link, onLink }) =>
          `${destination}${via === null ? "" : ` via ${via}`} dev ${link}${onLink === true ? " onlink" : ""}`,
      ),
      ...one.neighbours.map(
        ({ link, address, proxy }) => `${proxy ? "answers ARP for" : "neighbour"} ${address} on ${link}`,
      ),
      ...(one.leased ?? []).map((link) => `lease on ${link}`),
      ...Object.entries(one.sysctls)
        .filter(([name, value]) => !(name.endsWith("all.disable_ipv6") && value === "1"))
        .map(([name, value]) => `${name}=${value}`),
      ...(one.switches ?? []).flatMap(({ name, ports }) => ports.map((port) => `${name} ${JSON.stringify(port)}`)),
      ...Object.values(one.tables).flatMap((table) => tableLines(table)),
    ];
    return said.map((line) => `${part} ${line}`);
  });
}

function words({ name, kind, mtu, mac, master, peer, isolated, vlan, shaping }: NetworkState[string]["links"][number]) {
  return [
    name,
    kind,
    mac,
    mtu === 1500 ? null : `mtu ${mtu}`,
    vlan === undefined ? null : `${vlan.parent} id ${vlan.id}`,
    master === null ? null : `in ${master}`,
    peer === null ? null : `to ${peer.namespace.replace("l.", "")}/${peer.name}`,
    isolated === true ? "isolated" : null,
    shaping === undefined ? null : JSON.stringify(shaping),
  ]
    .filter((word) => word !== null)
    .join(" ");
}

function tableLines({ family, name, sets, chains }: NftTable): string[] {
  return [
    ...sets.map(
      (set) => `${family} ${name} @${set.name} ${set.elements.map((element) => elementText(element)).join(", ")}`,
    ),
    ...chains.flatMap((chain) => [
      `${family} ${name} ${chain.name}: ${chain.base?.type} ${chain.base?.hook} ${chain.base?.priority} ${chain.base?.policy}`,
      ...chain.rules.map((rule) => `${family} ${name} ${chain.name}: ${ruleText(rule)}`),
    ]),
  ];
}

type Json = Record<string, unknown>;

function elementText(element: unknown): string {
  if (typeof element === "string") return element;
  const { val, comment } = (element as { elem: { val: unknown; comment: string } }).elem;
  return `${comment} ${valueText(val)}`;
}

function ruleText({ expr }: NftRule): string {
  return expr
    .map((statement) => {
      const [key = "", value] = Object.entries(statement)[0] ?? [];
      if (key !== "match") return value === null ? key : `${key} ${valueText(value)}`;
      const { op, left, right } = value as { op: string; left: unknown; right: unknown };
      return `${valueText(left)}${op === "!=" ? " !=" : ""} ${valueText(right)}`;
    })
    .join(" ");
}

function valueText(value: unknown): string {
  if (Array.isArray(value)) return value.map((one) => valueText(one)).join(",");
  if (typeof value !== "object" || value === null) return String(value);
  const [key = "", inner] = Object.entries(value as Json)[0] ?? [];
  switch (key) {
    case "meta":
    case "ct":
      return (inner as { key: string }).key;
    case "payload":
      return Object.values(inner as Json).join(" ");
    case "prefix":
      return Object.values(inner as Json).join("/");
    case "concat":
      return (inner as unknown[]).map((one) => valueText(one)).join(" . ");
    case "set":
      return `{${valueText(inner)}}`;
    default:
      return Object.values(value as Json).join(":");
  }
}
