import ipaddr from "ipaddr.js";
import type { Guard } from "../model/network-state.ts";

/** One OpenFlow rule of table 0. */
export interface Flow {
  priority: number;
  /** The number of the port that it is for, in hexadecimal; what `ovs-ofctl dump-flows` counts is found by it. */
  cookie: string;
  /** As ovs-ofctl writes them (`arp`, `in_port=3`, …), sorted. */
  match: string[];
  actions: "NORMAL" | "drop";
}

/** The guard of a port without any flow: the switch drops what no flow is for. */
export const NOTHING_ENTERS: Guard = { mac: "00:00:00:00:00:00", addresses: [] };

/** icmp6 types of neighbour discovery (RFC 4861). */
const SOLICIT_ROUTER = 133;
const ADVERTISE_ROUTER = 134;
const SOLICIT_NEIGHBOUR = 135;
const ADVERTISE_NEIGHBOUR = 136;
const REDIRECT = 137;

const LINK_LOCAL = "fe80::/10";

const PRIORITY = { discovery: 300, noDiscovery: 200, own: 100, rest: 1 } as const;

/** The flows of a port: what may enter through it is forwarded as a learning switch with VLANs does (NORMAL), else dropped. */
export function portFlows(port: number, guard: Guard | null): Flow[] {
  const flow = (priority: number, actions: Flow["actions"], ...match: string[]): Flow => ({
    priority,
    cookie: `0x${port.toString(16)}`,
    match: [...match, `in_port=${port}`].toSorted(),
    actions,
  });
  if (guard === null) return [flow(PRIORITY.rest, "NORMAL")];
  const { mac } = guard;
  const source = `dl_src=${mac}`;
  const discovery = (type: number, ...match: string[]) =>
    flow(PRIORITY.discovery, "NORMAL", "icmp6", source, `icmp_type=${type}`, ...match);
  /** An answer to a unicast question names no MAC, and Open vSwitch has 0 then. */
  const advertisements = (from: string, target: string) =>
    [mac, "00:00:00:00:00:00"].map((named) =>
      discovery(ADVERTISE_NEIGHBOUR, `ipv6_src=${from}`, `nd_target=${target}`, `nd_tll=${named}`),
    );
  const own = (...match: string[]) => flow(PRIORITY.own, "NORMAL", source, ...match);

  const perAddress = guard.addresses.flatMap((address) =>
    ipaddr.parse(address).kind() === "ipv4"
      ? [own("arp", `arp_sha=${mac}`, `arp_spa=${address}`), own("ip", `nw_src=${address}`)]
      : [
          own("ipv6", `ipv6_src=${canonical(address)}`),
          ...advertisements(canonical(address), canonical(address)),
          ...advertisements(LINK_LOCAL, canonical(address)),
        ],
  );
  return [
    ...perAddress,
    own("udp", "nw_src=0.0.0.0", "tp_dst=67", "tp_src=68"),
    // Before it uses an address, a machine asks whether somebody has it, from none (RFC 5227; of IPv6: RFC 4862).
    own("arp", `arp_sha=${mac}`, "arp_spa=0.0.0.0"),
    discovery(SOLICIT_ROUTER, `ipv6_src=${LINK_LOCAL}`),
    discovery(SOLICIT_ROUTER, "ipv6_src=::"),
    discovery(SOLICIT_NEIGHBOUR, `ipv6_src=${LINK_LOCAL}`),
    discovery(SOLICIT_NEIGHBOUR, "ipv6_src=::"),
    ...advertisements(LINK_LOCAL, LINK_LOCAL),
    // Also from its own address a guest may not speak for another one, or as a router.
    ...[ADVERTISE_ROUTER, ADVERTISE_NEIGHBOUR, REDIRECT].map((type) =>
      flow(PRIORITY.noDiscovery, "drop", "icmp6", `icmp_type=${type}`),
    ),
    flow(PRIORITY.rest, "drop"),
  ];
}

/** RFC 5952, as Open vSwitch prints it. */
function canonical(address: string): string {
  return ipaddr.parse(address).toString();
}

/** For ovs-ofctl: a line. */
export function flowText({ priority, cookie, match, actions }: Flow): string {
  return `cookie=${cookie},priority=${priority},${match.join(",")},actions=${actions}`;
}

/** The output of `dump-flows --no-stats`, each flow as `flowText` writes it; what has no such form is as it was. */
export function parseFlows(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line.includes("actions="))
    .map((line) => {
      const [fields = "", actions = ""] = line.split(/[ ,]actions=/);
      const parts = fields.split(/[,\s]+/);
      const named = (key: string) => parts.find((part) => part.startsWith(`${key}=`));
      const heads = [named("cookie") ?? "cookie=0x0", named("priority") ?? "priority=32768"];
      return [...heads, ...parts.filter((part) => !heads.includes(part)).toSorted(), `actions=${actions}`].join(",");
    });
}

/**
 * What the flows of a port let in, as far as they are whole: an address counts when all its flows are there.
 * @param present flows of the switch, as `parseFlows` gives them
 * @returns the guard, and those of its flows that are there
 */
export function guardOfPort(port: number, present: ReadonlySet<string>): { guard: Guard | null; flows: string[] } {
  const flowsOf = (guard: Guard | null) => portFlows(port, guard).map(flowText);
  const has = (guard: Guard | null) => flowsOf(guard).every((text) => present.has(text));
  if (has(null)) return { guard: null, flows: flowsOf(null) };
  const mine = [...present].filter((text) => text.split(",").includes(`in_port=${port}`));
  const values = (pattern: RegExp) => mine.flatMap((text) => pattern.exec(text)?.[1] ?? []);
  const candidates = [...new Set(values(/,dl_src=([^,]+)/))].toSorted();
  const mac = candidates.find((one) => has({ mac: one, addresses: [] }));
  if (mac === undefined) return { guard: NOTHING_ENTERS, flows: [] };
  const addresses = [...new Set(values(/,(?:nw|ipv6)_src=([^,]+)/))]
    .filter((address) => ipaddr.isValid(address) && has({ mac, addresses: [address] }))
    .toSorted();
  const guard = { mac, addresses };
  return { guard, flows: flowsOf(guard) };
}
