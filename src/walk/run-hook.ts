import type { CompiledLink, CompiledNamespace, HookFamily, HookName } from "./compiled-network.ts";
import type { Ip } from "./ip-address.ts";
import { runChain, type Chain, type Ending, type Scene } from "./nft/chain.ts";
import type { Frame, IpPacket } from "./packet.ts";
import type { Fate, Passage } from "./passage.ts";
import { translate, decide } from "./translate.ts";

export interface At {
  namespace: CompiledNamespace;
  iif: CompiledLink | null;
  oif: CompiledLink | null;
  frame: Frame;
  /** The frame's Ethernet header is this machine's to see: it came in with it, or crosses a bridge. */
  hasLinkHeader: boolean;
  nextHop?: Ip | null;
}

/** Which rule of the walk makes the chains of a family count. */
const RULE = { ip: "ip-chains", ip6: "ip-chains", bridge: "bridge-chains", arp: "arp-chains" } as const;

/**
 * Takes a packet through all that is registered at a hook, in the order of priorities: to accept ends its chain only,
 * to drop ends all (nf_hook_slow in net/netfilter/core.c). null: it goes on.
 */
export function runHook(passage: Passage, family: HookFamily, hook: HookName, at: At): Fate | null {
  const { namespace, frame } = at;
  const stages = namespace.hooks[family][hook];
  if (stages.length === 0) return null;
  const { packet } = frame;
  const { follows } = passage.network;
  const scene = sceneOf(passage, family, hook, at);
  for (const stage of stages) {
    let fate: Fate | null = null;
    switch (stage.kind) {
      case "chain":
        if (follows(RULE[family])) fate = fateOf(passage, namespace, runChain(stage.chain, scene));
        break;
      case "conntrack":
        if (packet.kind === "ip") track(passage, namespace, packet);
        break;
      case "nat":
        if (packet.kind === "ip") fate = runNat(passage, hook, stage.chains, scene, packet);
        break;
      case "bridge-netfilter":
        fate = runBridgeNetfilter(passage, hook, at);
        break;
    }
    if (fate !== null) return fate;
  }
  return null;
}

/** Chains that are bound to a device, such as `ingress`. */
export function runDeviceChains(
  passage: Passage,
  chains: readonly Chain[],
  at: At,
  hook: "ingress" | "egress",
): Fate | null {
  if (!passage.network.follows("device-chains")) return null;
  const { namespace } = at;
  for (const chain of chains) {
    const fate = fateOf(passage, namespace, runChain(chain, sceneOf(passage, "netdev", hook, at)));
    if (fate !== null) return fate;
  }
  return null;
}

function sceneOf(passage: Passage, family: Scene["family"], hook: Scene["hook"], at: At): Scene {
  const { namespace, iif, oif, frame, hasLinkHeader, nextHop = null } = at;
  return {
    namespace,
    family,
    hook,
    iif,
    oif,
    frame,
    hasLinkHeader,
    nextHop,
    onVerdict: verdictTeller(passage, namespace),
  };
}

function verdictTeller(passage: Passage, namespace: CompiledNamespace): Scene["onVerdict"] {
  const { tell } = passage;
  if (tell === null) return null;
  return ({ family, table, name }, { text }) =>
    tell(namespace, "nft", `${family} ${table} ${name}: ${text()}`, "the rule matches");
}

function fateOf(passage: Passage, namespace: CompiledNamespace, ending: Ending): Fate | null {
  switch (ending.kind) {
    case "drop":
      return dropped(passage, namespace, ending.chain, ending.rule.where());
    case "policy":
      return passage.network.follows("chain-policy") ? droppedByPolicy(passage, namespace, ending.chain) : null;
    case "unknown":
      return { kind: "unknown", unknown: ending.rule.where() };
    default:
      return null;
  }
}

/** Tables of this name are Cloison's anti-spoofing. */
const GUARD_TABLE = "cloison-guard";

function dropped(passage: Passage, namespace: CompiledNamespace, chain: Chain, where: string): Fate {
  if (chain.table === GUARD_TABLE) {
    return passage.stop(namespace, "spoof-guard", {
      object: where,
      reason: "The anti-spoofing rules drop it: its sender is not who lives behind the interface.",
      remedy: "Send from the address and MAC that the lab gave to the interface, or switch its anti-spoofing off.",
    });
  }
  return passage.stop(namespace, "nft-rule", {
    object: where,
    reason: `A rule of chain ${chain.name} in table ${chain.family} ${chain.table} drops it.`,
    remedy: `Delete the rule (nft -a list table ${chain.family} ${chain.table} shows its handle), or put one that accepts it before.`,
  });
}

function droppedByPolicy(passage: Passage, namespace: CompiledNamespace, { family, table, name, base }: Chain): Fate {
  return passage.stop(namespace, "nft-policy", {
    object: `${family} ${table} ${name}: type ${base?.type} hook ${base?.hook} priority ${base?.priority}; policy drop;`,
    reason: `No rule of chain ${name} in table ${family} ${table} accepts it, and the chain's policy is to drop.`,
    remedy: `Add a rule to ${family} ${table} ${name} that accepts it, or make the policy accept.`,
  });
}

function track(passage: Passage, namespace: CompiledNamespace, packet: IpPacket): void {
  // A packet keeps what it belongs to while it stays in the namespace, as over loopback (nf_conntrack_in).
  if (packet.tracked !== null || !passage.network.follows("conntrack-state")) return;
  // Neighbour discovery is never tracked (nf_conntrack_icmpv6_error).
  packet.tracked = packet.discovery !== null ? "untracked" : passage.connectionsOf(namespace).track(packet);
}

/** NAT's part of a hook (nf_nat_inet_fn in net/netfilter/nf_nat_core.c): decide at the first packet, then carry out. */
function runNat(
  passage: Passage,
  hook: HookName,
  chains: readonly Chain[],
  scene: Scene,
  packet: IpPacket,
): Fate | null {
  const { tracked } = packet;
  if (tracked === null || tracked === "untracked") return null;
  const { namespace } = scene;
  const end = hook === "prerouting" || hook === "output" ? "destination" : "source";
  const { connection } = tracked;
  if (tracked.state === "new" && !connection.decided[end]) {
    connection.decided[end] = true;
    for (const chain of chains) {
      const ending = runChain(chain, scene);
      if (ending.kind !== "translate") {
        const fate = fateOf(passage, namespace, ending);
        if (fate !== null) return fate;
        continue;
      }
      if (!decide(passage, connection, end, ending.translation, scene)) {
        return dropped(passage, namespace, chain, ending.rule.where());
      }
      break;
    }
  }
  translate(passage, namespace, end, tracked, packet);
  return null;
}

/**
 * With net.bridge.bridge-nf-call-iptables bridged packets cross the chains of IP too, where the bridge is the interface
 * (brnf_get_logical_dev); those with a tag do not, unless bridge-nf-filter-vlan-tagged is set.
 */
function runBridgeNetfilter(passage: Passage, hook: HookName, at: At): Fate | null {
  const { namespace, frame } = at;
  const { packet } = frame;
  if (packet.kind !== "ip" || !passage.network.follows("bridge-netfilter")) return null;
  const isIpv4 = packet.source.family === 4;
  if (namespace.sysctl(isIpv4 ? "net.bridge.bridge-nf-call-iptables" : "net.bridge.bridge-nf-call-ip6tables") !== "1")
    return null;
  if (frame.vlan !== null && namespace.sysctl("net.bridge.bridge-nf-filter-vlan-tagged") !== "1") return null;
  // Only what came in through a port; what the machine itself sends has passed its own output.
  if (hook !== "prerouting" && !frame.prerouted) return null;
  const { destination } = packet;
  const iif = at.iif?.master ?? null;
  const fate = runHook(passage, isIpv4 ? "ip" : "ip6", hook, {
    ...at,
    iif: hook === "postrouting" ? null : iif,
    oif: at.oif?.master ?? null,
  });
  if (hook === "prerouting") frame.prerouted = true;
  if (fate === null && packet.destination !== destination) {
    return {
      kind: "unknown",
      unknown: `net.bridge.bridge-nf-call-iptables = 1 in ${namespace.name}: a bridged packet whose destination is translated`,
    };
  }
  return fate;
}
