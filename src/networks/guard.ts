import type { Guard, NetworkState } from "../model/network-state.ts";
import type { NftRule, NftSet } from "../model/nft.ts";
import type { NamespaceName } from "../model/plan.ts";
import { inNamespace } from "./fragment.ts";
import type { Guest } from "./guest.ts";
import { accept, chain, concat, drop, element, match, meta, payload, rule, set, table } from "./nft.ts";

const NAME = "cloison-guard";

/** IPv6's link-local unicast addresses (RFC 4291). */
const LINK_LOCAL = { prefix: { addr: "fe80::", len: 10 } };
/** ICMPv6 that finds neighbours (RFC 4861); their sender may be `::`, when an address is tried. */
const NEIGHBOUR_DISCOVERY = { set: ["nd-router-solicit", "nd-neighbor-solicit", "nd-neighbor-advert"] };
/** nft's priority `filter` in the bridge family; before it a bridge knows nothing of where a frame goes. */
const BRIDGE_FILTER = -200;

/** The sender addresses that a guest may use; null: it is not guarded. For switches that are no bridges. */
export function guardOf({ guarded, mac, address, address6 = null }: Guest): Guard | null {
  if (guarded === undefined) return null;
  return { mac, addresses: [address, ...(address6 === null ? [] : [address6])] };
}

/**
 * Anti-spoofing on the vifs of bridges: what enters through one must have its guest's MAC and addresses as sender, in ARP
 * too. Few rules over sets, so that it costs the same for one guest as for hundreds. No rule for no guest.
 */
export function bridgeGuard(hostNamespace: NamespaceName, guests: readonly Guest[]): NetworkState {
  const guarded = guests.filter((guest) => guest.guarded !== undefined);
  if (guarded.length === 0) return {};
  const rules = [
    onlyGuarded(),
    ...macRules(),
    rule("an address is tried", match(payload("arp", "saddr ip"), "==", "0.0.0.0"), accept),
    rule("ARP of another's address", match(pair("arp", "saddr ip"), "!=", "@addresses"), drop),
    rule(
      "DHCP",
      match(payload("ip", "saddr"), "==", "0.0.0.0"),
      match(payload("udp", "sport"), "==", 68),
      match(payload("udp", "dport"), "==", 67),
      accept,
    ),
    ...addressRules(),
    rule("neither IP nor ARP", match(meta("protocol"), "!=", { set: ["ip", "arp", "ip6"] }), drop),
  ];
  return inNamespace(hostNamespace, {
    tables: table("bridge", NAME, [chain("prerouting", BRIDGE_FILTER, rules)], guardSets(guarded)),
  });
}

/** The same on vifs that the host routes. */
export function routedGuard(hostNamespace: NamespaceName, guests: readonly Guest[]): NetworkState {
  const guarded = guests.filter((guest) => guest.guarded !== undefined);
  if (guarded.length === 0) return {};
  const { macs, addresses, addresses6, vifs } = setsOf(guarded);
  const ip = [onlyGuarded(), macRule("another's MAC", "ether", "saddr"), ...addressRules()];
  const arp = [
    onlyGuarded(),
    macRule("ARP of another's MAC", "arp", "saddr ether"),
    rule("an address is tried", match(payload("arp", "saddr ip"), "==", "0.0.0.0"), accept),
    rule("ARP of another's address", match(pair("arp", "saddr ip"), "!=", "@addresses"), drop),
  ];
  return inNamespace(hostNamespace, {
    tables: {
      ...table("inet", NAME, [chain("prerouting", "raw", ip)], [vifs, macs, addresses, addresses6]),
      ...table("arp", NAME, [chain("input", "filter", arp)], [vifs, macs, addresses]),
    },
  });
}

const pair = (protocol: string, field: string) => concat(meta("iifname"), payload(protocol, field));

function onlyGuarded(): NftRule {
  return rule(undefined, match(meta("iifname"), "!=", "@vifs"), accept);
}

function macRule(comment: string, protocol: string, field: string): NftRule {
  return rule(comment, match(pair(protocol, field), "!=", "@macs"), drop);
}

function macRules(): NftRule[] {
  return [macRule("another's MAC", "ether", "saddr"), macRule("ARP of another's MAC", "arp", "saddr ether")];
}

function addressRules(): NftRule[] {
  return [
    rule("another's address", match(pair("ip", "saddr"), "!=", "@addresses"), drop),
    ...[LINK_LOCAL, "::"].map((sender) =>
      rule(
        "neighbour discovery",
        match(payload("ip6", "saddr"), "==", sender),
        match(payload("icmpv6", "type"), "==", NEIGHBOUR_DISCOVERY),
        accept,
      ),
    ),
    rule("another's address", match(pair("ip6", "saddr"), "!=", "@addresses6"), drop),
  ];
}

function setsOf(guests: readonly Guest[]) {
  const named = <T>(read: (guest: Guest) => T | null, make: (guest: Guest, value: T) => unknown) =>
    guests.flatMap((guest) => {
      const value = read(guest);
      return value === null ? [] : [make(guest, value)];
    });
  const comment = ({ guarded }: Guest) => guarded ?? "";
  const withVif = (guest: Guest, value: string) => element(comment(guest), guest.vif, value);
  return {
    vifs: set(
      "vifs",
      "ifname",
      guests.map((guest) => element(comment(guest), guest.vif)),
    ),
    macs: set(
      "macs",
      ["ifname", "ether_addr"],
      named(({ mac }) => mac, withVif),
    ),
    addresses: set(
      "addresses",
      ["ifname", "ipv4_addr"],
      named(({ address }) => address, withVif),
    ),
    addresses6: set(
      "addresses6",
      ["ifname", "ipv6_addr"],
      named(({ address6 = null }) => address6, withVif),
    ),
  };
}

function guardSets(guests: readonly Guest[]): NftSet[] {
  return Object.values(setsOf(guests));
}
