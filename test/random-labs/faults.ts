import type { Host } from "../../src/host/host.ts";
import type { LabPlan } from "../../src/model/plan.ts";
import type { FaultKind, RandomFault } from "./random-lab.ts";

/** A command in a namespace of the lab; `sysctl`: a setting there. */
type Deed = { namespace: string } & (
  | { argv: [string, ...string[]] }
  | { sysctl: string; value: string }
  | { nft: string }
);

/** Does the fault to a running lab, with the tools that an operator has. @returns what was done; null: the lab has no place for it */
export async function commit(host: Host, plan: LabPlan, fault: RandomFault): Promise<string | null> {
  const deeds = DEEDS[fault.kind](plan, fault);
  if (deeds === null) return null;
  const told: string[] = [];
  for (const deed of deeds) {
    const { namespace } = deed;
    const command = commandOf(deed);
    told.push(`${namespace}: ${command.stdin ?? command.argv.join(" ")}`);
    // What an earlier fault has taken away cannot be changed any more.
    const done = await host.processes.run({ namespace, ...command });
    if (done.code !== 0) told.push(`  refused: ${done.stderr.trim()}`);
  }
  return told.join("\n");
}

function commandOf(deed: Deed): { argv: [string, ...string[]]; stdin?: string } {
  if ("argv" in deed) return { argv: deed.argv };
  if ("nft" in deed) return { argv: ["sh", "-c", "cat | nft -f -"], stdin: deed.nft };
  const path = `/proc/sys/${deed.sysctl
    .split(".")
    .map((part) => part.replaceAll("/", "."))
    .join("/")}`;
  return { argv: ["sh", "-c", 'echo "$1" >"$2"', "sh", deed.value, path] };
}

type Choose = (plan: LabPlan, fault: RandomFault) => Deed[] | null;

function pick<T>(list: readonly T[], number: number): T | undefined {
  return list[number % Math.max(1, list.length)];
}

/** Host ends of the domains' interfaces, with their guests. */
const vifsOf = (plan: LabPlan) =>
  plan.domains.flatMap((domain) => domain.vifs.map((vif) => ({ ...vif, namespace: domain.namespace })));

const onVif =
  (deed: (vif: ReturnType<typeof vifsOf>[number], plan: LabPlan) => Deed[] | null): Choose =>
  (plan, { place }) => {
    const vif = pick(vifsOf(plan), place);
    return vif === undefined ? null : deed(vif, plan);
  };

const DEEDS: Record<FaultKind, Choose> = {
  "arp-ignored": onVif(({ namespace }) => [{ namespace, sysctl: "net.ipv4.conf.all.arp_ignore", value: "1" }]),
  "arp-filtered": onVif(({ namespace }) => [{ namespace, sysctl: "net.ipv4.conf.all.arp_filter", value: "1" }]),
  "arp-announced": onVif(({ namespace }) => [{ namespace, sysctl: "net.ipv4.conf.all.arp_announce", value: "2" }]),
  "proxies-all": (plan) => [{ namespace: plan.hostNamespace, sysctl: "net.ipv4.conf.all.proxy_arp", value: "1" }],
  "other-source": onVif(({ namespace, guest, address, gateway }) =>
    gateway === null
      ? null
      : [
          { namespace, argv: ["ip", "address", "add", "10.99.0.1/32", "dev", "lo"] },
          // Of several interfaces the first has the default route.
          { namespace, argv: ["ip", "route", "replace", "default", "via", gateway, "dev", guest, "src", `${address}`] },
          {
            namespace,
            argv: ["ip", "route", "add", "10.100.0.252/30", "via", gateway, "dev", guest, "src", "10.99.0.1"],
          },
        ],
  ),
  "device-drop": onVif(({ vif }, plan) => [
    {
      namespace: plan.hostNamespace,
      nft: `table netdev foreign { chain c { type filter hook ingress device "${vif}" priority 0; policy accept; ip protocol tcp drop\n}\n}\n`,
    },
  ]),
  "foreign-nat": (plan) => [
    {
      namespace: plan.hostNamespace,
      nft: "table ip foreignnat { chain c { type nat hook postrouting priority 50; policy accept; meta l4proto icmp snat to 10.98.0.1\n}\n}\n",
    },
  ],
  "foreign-redirect": onVif(({ namespace }) => [
    {
      namespace,
      nft: "table ip foreignnat { chain c { type nat hook prerouting priority -100; policy accept; tcp dport 80 redirect to :8888\n}\n}\n",
    },
  ]),
  "no-hairpin": (plan) => [
    { namespace: plan.hostNamespace, argv: ["nft", "flush", "chain", "inet", "cloison-host", "postrouting"] },
  ],
  "narrow-router": (plan, { place }) => {
    const ways = (plan.network[plan.hostNamespace]?.links ?? []).filter(
      ({ name, kind, master }) => kind === "bridge" || (master === null && name.startsWith("eth")),
    );
    const way = pick(ways, place);
    if (way === undefined) return null;
    return [{ namespace: plan.hostNamespace, argv: ["ip", "link", "set", way.name, "mtu", "1280"] }];
  },
  "link-down": onVif(({ vif }, plan) => [{ namespace: plan.hostNamespace, argv: ["ip", "link", "set", vif, "down"] }]),
  "route-deleted"(plan, { place }) {
    const routes = Object.entries(plan.network).flatMap(([namespace, state]) =>
      state.routes.filter(({ destination }) => !destination.includes(":")).map((route) => ({ namespace, ...route })),
    );
    const route = pick(routes, place);
    if (route === undefined) return null;
    return [{ namespace: route.namespace, argv: ["ip", "route", "del", route.destination] }];
  },
  "small-mtu": onVif(({ vif }, plan) => [
    { namespace: plan.hostNamespace, argv: ["ip", "link", "set", vif, "mtu", "1300"] },
  ]),
  "strict-reverse-path": (plan, { place }) => {
    const several = plan.domains.filter(({ vifs }) => vifs.length > 1);
    const namespace = pick([plan.hostNamespace, ...several.map((domain) => domain.namespace)], place);
    return namespace === undefined ? null : [{ namespace, sysctl: "net.ipv4.conf.all.rp_filter", value: "1" }];
  },
  "no-forwarding": (plan) => [{ namespace: plan.hostNamespace, sysctl: "net.ipv4.ip_forward", value: "0" }],
  "poisoned-neighbour": onVif(({ namespace, guest, gateway }) =>
    gateway === null
      ? null
      : [
          {
            namespace,
            argv: ["ip", "neigh", "replace", gateway, "lladdr", "00:16:3e:de:ad:01", "dev", guest, "nud", "permanent"],
          },
        ],
  ),
  "foreign-drop": (plan, { place }) => [
    {
      namespace: plan.hostNamespace,
      nft:
        place % 2 === 0
          ? "table bridge foreign { chain c { type filter hook forward priority 0; policy accept; ether type ip ip protocol tcp drop\n}\n}\n"
          : "table inet foreign { chain c { type filter hook forward priority 10; policy accept; meta l4proto icmp reject\n}\n}\n",
    },
  ],
  "foreign-policy": (plan, { place }) => {
    const domain = pick(plan.domains, place);
    if (domain === undefined) return null;
    return [
      {
        namespace: domain.namespace,
        nft: "table inet foreign { chain c { type filter hook input priority 0; policy drop; ct state established accept\niifname lo accept\nip protocol udp accept\n}\n}\n",
      },
    ];
  },
  "isolated-ports": (plan, { place }) => {
    const bridged = (plan.network[plan.hostNamespace]?.links ?? []).filter(
      ({ name, master }) => master !== null && name.startsWith("vif"),
    );
    const first = pick(bridged, place);
    if (first === undefined) return null;
    return bridged
      .filter(({ master }) => master === first.master)
      .map(({ name }) => ({
        namespace: plan.hostNamespace,
        argv: ["bridge", "link", "set", "dev", name, "isolated", "on"],
      }));
  },
  "wrong-bridge": (plan, { place, other }) => {
    const links = plan.network[plan.hostNamespace]?.links ?? [];
    const vif = pick(
      links.filter(({ name, master }) => master !== null && name.startsWith("vif")),
      place,
    );
    const bridge = pick(
      links.filter(({ kind, name }) => kind === "bridge" && name !== vif?.master),
      other,
    );
    if (vif === undefined || bridge === undefined) return null;
    return [{ namespace: plan.hostNamespace, argv: ["ip", "link", "set", vif.name, "master", bridge.name] }];
  },
  "duplicate-address": (plan, { place, other }) => {
    const vifs = vifsOf(plan).filter(({ network }) =>
      plan.networks.some(({ name, mode }) => name === network && mode !== "routed"),
    );
    const one = pick(vifs, place);
    const two = pick(
      vifs.filter((vif) => vif.network === one?.network && vif.namespace !== one.namespace),
      other,
    );
    if (one === undefined || two === undefined) return null;
    return [
      { namespace: two.namespace, argv: ["ip", "address", "add", `${one.address}/${one.prefix}`, "dev", two.guest] },
    ];
  },
  "ignores-echo": onVif(({ namespace }) => [{ namespace, sysctl: "net.ipv4.icmp_echo_ignore_all", value: "1" }]),
  "no-proxy": (plan, { place }) => {
    const entry = pick(
      (plan.network[plan.hostNamespace]?.neighbours ?? []).filter(
        ({ proxy, address }) => proxy && !address.includes(":"),
      ),
      place,
    );
    if (entry === undefined) return null;
    return [{ namespace: plan.hostNamespace, argv: ["ip", "neigh", "del", "proxy", entry.address, "dev", entry.link] }];
  },
  "spoofed-mac": onVif(({ namespace, guest }) => [
    { namespace, argv: ["ip", "link", "set", guest, "address", "00:16:3e:5b:00:0f"] },
  ]),
  "short-life": onVif(({ namespace }) => [{ namespace, sysctl: "net.ipv4.ip_default_ttl", value: "1" }]),
  "own-source": onVif(({ address, vif }, plan) =>
    // The host takes a guest's address for its own.
    [{ namespace: plan.hostNamespace, argv: ["ip", "address", "add", `${address}/32`, "dev", vif] }],
  ),
  "bridge-netfilter": (plan) => [
    { namespace: plan.hostNamespace, sysctl: "net.bridge.bridge-nf-call-iptables", value: "1" },
    {
      namespace: plan.hostNamespace,
      nft: "table ip foreign { chain c { type filter hook forward priority 0; policy accept; tcp dport 80 drop\n}\n}\n",
    },
  ],
};
