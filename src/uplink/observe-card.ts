import type { Host } from "../host/host.ts";
import type { NamespaceName } from "../model/plan.ts";
import * as address from "./address-words.ts";
import type { SavedAddress } from "./address-words.ts";
import * as route from "./route-words.ts";
import type { SavedRoute } from "./route-words.ts";

/** An interface with all that goes along when a bridge takes its place. */
export interface CardState {
  name: string;
  index: number;
  mac: string;
  mtu: number;
  up: boolean;
  master: string | null;
  /** `bridge`, `veth`, …; null: a card. */
  kind: string | null;
  /** `ether`, `loopback`, `none`, … */
  type: string;
  hasIpv6: boolean;
  /** In the kernel's order, which decides which of a subnet is the first. */
  addresses: SavedAddress[];
  routes: SavedRoute[];
  /** Addresses and routes, as `ip` tells them, that could not be put back. */
  strange: string[];
}

interface LinkJson {
  ifindex: number;
  ifname: string;
  flags: string[];
  mtu: number;
  master?: string;
  link_type: string;
  address?: string;
  linkinfo?: { info_kind?: string };
  addr_info: address.AddressJson[];
}

/** Reads all interfaces of a namespace by iproute2; null: the machine's own. */
export async function observeCards(host: Host, namespace: NamespaceName | null): Promise<CardState[]> {
  const ask = async <T>(...words: string[]): Promise<T[]> => {
    const argv: [string, ...string[]] = ["ip", "-json", ...words];
    const text = await host.processes.must(namespace === null ? { argv } : { argv, namespace });
    return text.trim() === "" ? [] : (JSON.parse(text) as T[]);
  };
  const [links, routes4, routes6] = await Promise.all([
    ask<LinkJson>("-details", "address", "show"),
    ask<route.RouteJson>("-4", "route", "show", "table", "all"),
    ask<route.RouteJson>("-6", "route", "show", "table", "all"),
  ]);
  return links.map((link) => {
    const strange: string[] = [];
    const kept = <T>(json: object, saved: T | null): T[] => {
      if (saved === null) strange.push(JSON.stringify(json));
      return saved === null ? [] : [saved];
    };
    const routesOf = (family: 4 | 6, routes: route.RouteJson[]) =>
      routes
        .flatMap((json) => (family === 6 ? route.separateHops(json) : [json]))
        .filter((json) => isOver(json, link.ifname) && !route.isKernels(json))
        .flatMap((json) => kept(json, route.savedRoute(family, json)));
    return {
      name: link.ifname,
      index: link.ifindex,
      mac: link.address ?? "",
      mtu: link.mtu,
      up: link.flags.includes("UP"),
      master: link.master ?? null,
      kind: link.linkinfo?.info_kind ?? null,
      type: link.link_type,
      hasIpv6: link.addr_info.some(({ family }) => family === "inet6"),
      addresses: link.addr_info
        .filter((json) => !address.isKernels(json))
        .flatMap((json) => kept(json, address.savedAddress(json))),
      routes: [...routesOf(4, routes4), ...routesOf(6, routes6)],
      strange,
    };
  });
}

function isOver(json: route.RouteJson, link: string): boolean {
  const hops = (json["nexthops"] ?? []) as { dev?: string }[];
  return json["dev"] === link || hops.some(({ dev }) => dev === link);
}
