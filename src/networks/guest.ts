import type { NetworkState, Shaping } from "../model/network-state.ts";
import type { NamespaceName, VifPlan } from "../model/plan.ts";
import {
  addressesOf,
  defaultRoutes,
  inNamespace,
  PORT_MAC,
  quietState,
  veth,
  type End,
  type RpsCpus,
} from "./fragment.ts";

/** A domain's interface on a network, as a mode needs to know it. */
export interface Guest extends Pick<VifPlan, "vif" | "guest" | "mac" | "address" | "configuration"> {
  /** Of the guest's end. */
  namespace: NamespaceName;
  address6?: string | null;
  /** The domain's default route goes this way; absent: if it is eth0. */
  defaultRoute?: boolean;
  /** Name of the domain if what it sends is checked (anti-spoofing); absent: it is not. */
  guarded?: string;
  /** Of what goes to the guest, and of what it sends. */
  shaping?: { in?: Shaping | undefined; out?: Shaping | undefined };
}

/** How the guests of one network are joined to the host. */
export interface GuestLinks {
  hostNamespace: NamespaceName;
  rpsCpus: RpsCpus;
  mtu: number;
  /** The bridge that holds the vifs; null: none. */
  master: string | null;
  isolated?: boolean;
  /** Prefixes that the guests' own addresses are set with. */
  prefix: number;
  prefix6?: number | null;
  gateway: string | null;
  gateway6?: string | null;
  onLinkGateway?: boolean;
}

/** The guests' wires, addresses and ways out. */
export function guestLinks(guests: readonly Guest[], links: GuestLinks): NetworkState[] {
  const wires = guests.map((guest) => wireOf(guest, links));
  return [
    inNamespace(links.hostNamespace, { links: wires.map(({ onHost, inside }) => veth(onHost, inside, links.mtu)) }),
    ...wires.map((wire) => insideGuest(wire, links)),
  ];
}

interface Wire {
  guest: Guest;
  onHost: End;
  inside: End;
}

function wireOf(guest: Guest, links: GuestLinks): Wire {
  const { vif, mac, namespace, shaping } = guest;
  return {
    guest,
    onHost: {
      namespace: links.hostNamespace,
      name: vif,
      mac: PORT_MAC,
      master: links.master,
      rpsCpus: links.rpsCpus.host,
      isolated: links.isolated,
      shaping: shaping?.in,
    },
    inside: {
      namespace,
      name: guest.guest,
      mac,
      master: null,
      rpsCpus: links.rpsCpus.guest,
      shaping: shaping?.out,
    },
  };
}

function insideGuest({ guest, onHost, inside }: Wire, links: GuestLinks): NetworkState {
  const { guest: name, configuration, address6 = null } = guest;
  const { defaultRoute = name === "eth0" } = guest;
  const { gateway, gateway6 = null, prefix6 = null } = links;
  const isLeased = configuration === "dhcp";
  const routes = defaultRoute
    ? defaultRoutes(name, isLeased ? null : gateway, address6 === null ? null : gateway6)
    : [];
  const { links: loopback, sysctls } = quietState(address6 !== null);
  return inNamespace(guest.namespace, {
    links: [...loopback, veth(inside, onHost, links.mtu)],
    sysctls,
    addresses: addressesOf(
      name,
      { address: isLeased ? null : guest.address, prefix: links.prefix },
      { address6, prefix6 },
    ),
    routes: links.onLinkGateway === true ? routes.map((route) => ({ ...route, onLink: true })) : routes,
    ...(isLeased ? { leased: [name] } : {}),
  });
}
