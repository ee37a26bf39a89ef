import { nftElementText, nftRuleText } from "../../model/nft-text.ts";
import type { NftChain, NftSet, NftTable } from "../../model/nft.ts";

/** A table as `nft list table` shows it, a line each. */
export function nftTableLines(table: NftTable): string[] {
  return [
    `table ${table.family} ${table.name} {`,
    ...table.sets.flatMap(setLines).map((line) => `  ${line}`),
    ...table.chains.flatMap(chainLines).map((line) => `  ${line}`),
    "}",
  ];
}

/** Elements a line, and lines at most: a set for 256 domains is not to be read whole. */
const ELEMENTS_SHOWN = 24;

function setLines({ name, type, elements }: NftSet): string[] {
  const shown = elements.slice(0, ELEMENTS_SHOWN).map((element) => `    ${nftElementText(element)},`);
  const rest = elements.length - shown.length;
  return [
    `set ${name} {`,
    `  type ${Array.isArray(type) ? type.join(" . ") : type}`,
    ...(elements.length === 0 ? [] : ["  elements = {", ...shown, ...(rest > 0 ? [`    … ${rest} more`] : []), "  }"]),
    "}",
  ];
}

function chainLines({ name, base, rules }: NftChain): string[] {
  const hook =
    base === null ? [] : [`  type ${base.type} hook ${base.hook} priority ${base.priority}; policy ${base.policy};`];
  return [`chain ${name} {`, ...hook, ...rules.map((rule) => `  ${nftRuleText(rule)}`), "}"];
}
