import type { Command } from "../../src/host/host.ts";
import type { Link, NamespaceState, NetworkState, Route } from "../../src/model/network-state.ts";
import type { NftTable } from "../../src/model/nft.ts";
import type { Change } from "../../src/netstate/change.ts";
import { removeCommands, replaceCommands } from "../../src/netstate/nft-json.ts";

/**
 * What is done to a namespace: as data, so that a walk can be asked what comes of it before any kernel is; and as the
 * command of an operator.
 */
export type Deed = Change;

export function setSysctl(state: NetworkState, namespace: string, name: string, value: string): Deed {
  const before = state[namespace]?.sysctls[name] ?? null;
  return { kind: "change", object: "sysctl", namespace, name, wanted: value, observed: before };
}

export function changeLink(namespace: string, link: Link, change: Partial<Link>): Deed {
  return { kind: "change", object: "link", namespace, name: link.name, wanted: { ...link, ...change }, observed: link };
}

export function addAddress(namespace: string, link: string, address: string, prefix: number): Deed {
  const wanted = { link, address, prefix };
  return { kind: "add", object: "address", namespace, name: address, wanted, observed: null };
}

export function removeAddress(namespace: string, observed: NamespaceState["addresses"][number]): Deed {
  return { kind: "remove", object: "address", namespace, name: observed.address, wanted: null, observed };
}

export function addRoute(namespace: string, wanted: Route): Deed {
  return { kind: "add", object: "route", namespace, name: wanted.destination, wanted, observed: null };
}

export function removeRoute(namespace: string, observed: Route): Deed {
  return { kind: "remove", object: "route", namespace, name: observed.destination, wanted: null, observed };
}

/** A permanent entry. */
export function setNeighbour(namespace: string, link: string, address: string, mac: string): Deed {
  const wanted = { link, address, mac, proxy: false };
  return { kind: "add", object: "neighbour", namespace, name: address, wanted, observed: null };
}

export function removeNeighbour(namespace: string, observed: NamespaceState["neighbours"][number]): Deed {
  return { kind: "remove", object: "neighbour", namespace, name: observed.address, wanted: null, observed };
}

export function setTable(state: NetworkState, namespace: string, wanted: NftTable): Deed {
  const name = `${wanted.family} ${wanted.name}`;
  const observed = state[namespace]?.tables[name] ?? null;
  return { kind: observed === null ? "add" : "change", object: "table", namespace, name, wanted, observed };
}

/** What `net repair` leaves as it is: others' tables, and sysctls of which the plan says nothing. */
export function undoOfForeign({ network }: { network: NetworkState }, deed: Deed): Deed | null {
  if (deed.object === "table")
    return deed.observed === null ? { ...deed, kind: "remove", wanted: null, observed: deed.wanted } : null;
  if (deed.object !== "sysctl" || deed.observed === null) return null;
  const isPlanned = network[deed.namespace]?.sysctls[deed.name] !== undefined;
  return isPlanned ? null : { ...deed, wanted: deed.observed, observed: deed.wanted };
}

/** The deed with the tools that an operator has. */
export function commandOf(deed: Deed): Command {
  const { namespace } = deed;
  switch (deed.object) {
    case "link":
      return { namespace, argv: linkCommand(deed) };
    case "address": {
      const { verb, object } = verbed(deed);
      return { namespace, argv: ["ip", "address", verb, `${object.address}/${object.prefix}`, "dev", object.link] };
    }
    case "route": {
      const { verb, object } = verbed(deed, "replace");
      return { namespace, argv: ["ip", "route", verb, ...routeWords(object)] };
    }
    case "neighbour": {
      const { verb, object } = verbed(deed, "replace");
      const { address, link, mac, proxy } = object;
      const words = proxy
        ? ["proxy", address]
        : [address, ...(mac === null ? [] : ["lladdr", mac, "nud", "permanent"])];
      return { namespace, argv: ["ip", "neigh", verb, ...words, "dev", link] };
    }
    case "sysctl": {
      const path = deed.name.split(".").map((part) => part.replaceAll("/", "."));
      const file = `/proc/sys/${path.join("/")}`;
      return { namespace, argv: ["sh", "-c", 'echo "$1" >"$2"', "sh", deed.wanted ?? "", file] };
    }
    case "table": {
      const nftables = deed.wanted === null ? removeCommands([deed.name]) : replaceCommands([deed.wanted]);
      return { namespace, argv: ["sh", "-c", "cat | nft -j -f -"], stdin: JSON.stringify({ nftables }) };
    }
    case "switch":
      throw new Error("nobody changes a switch");
  }
}

function verbed<T>({ wanted, observed }: { wanted: T | null; observed: T | null }, add = "add") {
  const object = wanted ?? observed;
  if (object === null) throw new Error("a deed from nothing to nothing");
  return { verb: wanted === null ? "del" : add, object };
}

function linkCommand({ name, wanted, observed }: Extract<Deed, { object: "link" }>): [string, ...string[]] {
  if (wanted === null) throw new Error(`nobody removes the link ${name}`);
  const differs = (field: keyof Link) => wanted[field] !== observed?.[field];
  if (differs("isolated")) return ["bridge", "link", "set", "dev", name, "isolated", wanted.isolated ? "on" : "off"];
  return [
    "ip",
    "link",
    "set",
    name,
    ...(differs("up") ? [wanted.up ? "up" : "down"] : []),
    ...(differs("mtu") ? ["mtu", `${wanted.mtu}`] : []),
    ...(differs("mac") && wanted.mac !== null ? ["address", wanted.mac] : []),
    ...(differs("master") && wanted.master !== null ? ["master", wanted.master] : []),
  ];
}

function routeWords({ destination, via, link, onLink, source }: Route): string[] {
  return [
    destination,
    ...(via === null ? [] : ["via", via]),
    ...(link === null ? [] : ["dev", link]),
    ...(onLink === true ? ["onlink"] : []),
    ...(source === undefined ? [] : ["src", source]),
  ];
}
