import type { NftFamily, NftHook } from "../../model/nft.ts";
import type { CompiledLink, CompiledNamespace, HookFamily } from "../compiled-network.ts";
import type { Ip } from "../ip-address.ts";
import type { Frame } from "../packet.ts";

/** A packet at a hook: all that a rule can see. */
export interface Scene {
  namespace: CompiledNamespace;
  /** Whose hook it is. */
  family: HookFamily | "netdev";
  hook: NftHook["hook"];
  iif: CompiledLink | null;
  oif: CompiledLink | null;
  /** Its link-layer header counts only where `hasLinkHeader`. */
  frame: Frame;
  hasLinkHeader: boolean;
  /** Next hop of the route; masquerading chooses its address by it. */
  nextHop: Ip | null;
  /** Rules that ended it are told of. */
  onVerdict: ((chain: Chain, rule: Rule) => void) | null;
}

/** What an expression gives. `undefined`: it does not apply to the packet, so the rule does not match (NFT_BREAK). */
export type Value = string | undefined | typeof UNKNOWN;
export const UNKNOWN = Symbol("unknown");

export interface Translation {
  verb: "snat" | "dnat" | "masquerade" | "redirect";
  address: Ip | null;
  port: number | null;
}

export type Verdict =
  | { kind: "accept" | "drop" | "continue" | "return" | "unknown" }
  | { kind: "jump" | "goto"; target: string }
  | { kind: "translate"; translation: Translation };

/** One statement: `true` goes on to the next, `false` leaves the rule (it does not match). */
export type Statement = (scene: Scene) => boolean | Verdict;

export interface Rule {
  statements: Statement[];
  text: () => string;
  /** `inet filter forward rule handle 7: tcp dport 80 drop` */
  where: () => string;
}

export interface Chain {
  family: NftFamily;
  table: string;
  name: string;
  base: NftHook | null;
  rules: Rule[];
  /** Chains of the table, for jumps. */
  others: ReadonlyMap<string, Chain>;
}

/** How a chain ended, and by which rule. */
export type Ending =
  | { kind: "accept" | "end" }
  | { kind: "policy"; chain: Chain }
  | { kind: "drop" | "unknown"; chain: Chain; rule: Rule }
  | { kind: "translate"; chain: Chain; rule: Rule; translation: Translation };

const ACCEPT: Ending = { kind: "accept" };
const END: Ending = { kind: "end" };
/** NFT_JUMP_STACK_SIZE (include/net/netfilter/nf_tables.h). */
const MOST_JUMPS = 16;

/** Runs a base chain (nft_do_chain in net/netfilter/nf_tables_core.c). */
export function runChain(chain: Chain, scene: Scene): Ending {
  const ending = runRules(chain, scene, 0);
  if (ending.kind !== "end") return ending;
  return chain.base?.policy === "drop" ? { kind: "policy", chain } : ACCEPT;
}

function runRules(chain: Chain, scene: Scene, depth: number): Ending {
  for (const rule of chain.rules) {
    const verdict = runRule(rule, scene);
    if (verdict === null || verdict.kind === "continue") continue;
    scene.onVerdict?.(chain, rule);
    switch (verdict.kind) {
      case "accept":
        return ACCEPT;
      case "return":
        return END;
      case "translate":
        return { kind: "translate", chain, rule, translation: verdict.translation };
      case "jump":
      case "goto": {
        const target = chain.others.get(verdict.target);
        if (target === undefined || depth === MOST_JUMPS) return { kind: "unknown", chain, rule };
        const ending = runRules(target, scene, depth + 1);
        if (ending.kind !== "end" || verdict.kind === "goto") return ending;
        break;
      }
      default:
        return { kind: verdict.kind, chain, rule };
    }
  }
  return END;
}

function runRule({ statements }: Rule, scene: Scene): Verdict | null {
  for (const statement of statements) {
    const result = statement(scene);
    if (result === false) return null;
    if (result !== true) return result;
  }
  return null;
}
