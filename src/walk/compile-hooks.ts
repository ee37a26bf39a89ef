import type { HookFamily, HookName, Hooks, Stage } from "./compiled-network.ts";
import type { Chain } from "./nft/chain.ts";

const FAMILIES: HookFamily[] = ["ip", "ip6", "bridge", "arp"];
const HOOKS: HookName[] = ["prerouting", "input", "forward", "output", "postrouting"];

/** NF_IP_PRI_CONNTRACK (include/uapi/linux/netfilter_ipv4.h). */
const CONNTRACK = -200;
/** Where NAT of each hook has its place, whatever the priority of its chains (nf_nat_ipv4_ops in net/netfilter/nf_nat_proto.c). */
const NAT = { prerouting: -100, output: -100, postrouting: 100, input: 100 } as const;
/** Where bridge-netfilter shows frames to the chains of IP (br_nf_ops in net/bridge/br_netfilter_hooks.c). */
const BRIDGE_NETFILTER = { prerouting: 0, forward: -1, postrouting: 2 ** 31 - 1 } as const;

/** What runs at every hook of a namespace with these chains. `bridgeNetfilter`: bridged packets are shown to IP's chains, too. */
export function compileHooks(chains: readonly Chain[], bridgeNetfilter: boolean): { hooks: Hooks; tracks: boolean } {
  const tracks = chains.some(
    ({ base, rules }) => base?.type === "nat" || rules.some(({ text }) => /\bct\b/.test(text())),
  );
  const stagesOf = (family: HookFamily, hook: HookName) => stages(family, hook, chains, tracks, bridgeNetfilter);
  const ofFamily = (family: HookFamily) =>
    Object.fromEntries(HOOKS.map((hook) => [hook, stagesOf(family, hook)])) as Record<HookName, Stage[]>;
  return { hooks: Object.fromEntries(FAMILIES.map((family) => [family, ofFamily(family)])) as Hooks, tracks };
}

function stages(
  family: HookFamily,
  hook: HookName,
  chains: readonly Chain[],
  tracks: boolean,
  bridgeNetfilter: boolean,
): Stage[] {
  const own = chains.filter(
    (chain) =>
      chain.base?.hook === hook &&
      (chain.family === family || (chain.family === "inet" && (family === "ip" || family === "ip6"))),
  );
  const priorityOf = ({ base }: Chain) => base?.priority ?? 0;
  const found: Stage[] = own
    .filter(({ base }) => base?.type !== "nat")
    .map((chain) => ({ kind: "chain", priority: priorityOf(chain), chain }));
  if ((family === "ip" || family === "ip6") && tracks) {
    if (hook === "prerouting" || hook === "output") found.unshift({ kind: "conntrack", priority: CONNTRACK });
    if (hook !== "forward") {
      const nat = own.filter(({ base }) => base?.type === "nat").toSorted((a, b) => priorityOf(a) - priorityOf(b));
      found.unshift({ kind: "nat", priority: NAT[hook], chains: nat });
    }
  }
  if (
    bridgeNetfilter &&
    family === "bridge" &&
    (hook === "prerouting" || hook === "forward" || hook === "postrouting")
  ) {
    found.unshift({ kind: "bridge-netfilter", priority: BRIDGE_NETFILTER[hook] });
  }
  return found.toSorted((a, b) => a.priority - b.priority);
}
