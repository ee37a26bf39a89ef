import { nftRuleParts } from "../../model/nft-text.ts";
import type { NetworkState } from "../../model/network-state.ts";
import type { NftChain, NftTable } from "../../model/nft.ts";

/** The filter tables as `iptables -L -n -v` lists them: a line each rule, what it does first, then whom it concerns. */
export function chainsText(state: NetworkState): string {
  return Object.entries(state)
    .map(([namespace, { tables }]) => {
      const chains = Object.values(tables).flatMap((table) => table.chains.map((chain) => chainText(table, chain)));
      return [namespace, ...(chains.length === 0 ? ["(no rules)"] : chains)].join("\n\n");
    })
    .join("\n\n");
}

const HEAD = ["target", "in", "out", "source", "destination", ""];

function chainText(table: NftTable, { name, base, rules }: NftChain): string {
  const title = base === null ? name : `${base.hook.toUpperCase()} (policy ${base.policy.toUpperCase()})`;
  const rows = rules.map((rule) => {
    const { verdict, iifname, oifname, source, destination, rest } = nftRuleParts(rule);
    return [verdict.toUpperCase() || "-", iifname ?? "*", oifname ?? "*", source ?? "*", destination ?? "*", rest];
  });
  const widths = HEAD.map((_, i) => Math.max(...[HEAD, ...rows].map((row) => row[i]?.length ?? 0)));
  const lines = [HEAD, ...rows].map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  return [
    `Chain ${title}  [${table.family} ${table.name}${base === null ? "" : `, priority ${base.priority}`}]`,
    ...lines,
  ].join("\n");
}
