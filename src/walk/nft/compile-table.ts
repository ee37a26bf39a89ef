import { nftRuleText } from "../../model/nft-text.ts";
import type { NftTable } from "../../model/nft.ts";
import type { Chain } from "./chain.ts";
import { compileStatement } from "./statement.ts";

/** The chains of a table, their rules ready to run. */
export function compileTable({ family, name: table, chains, sets }: NftTable): Chain[] {
  const byName = new Map<string, Chain>();
  return chains.map(({ name, base, rules }) => {
    const chain: Chain = {
      family,
      table,
      name,
      base,
      others: byName,
      rules: rules.map((rule, index) => {
        const place = rule.handle === undefined ? `rule ${index + 1}` : `rule handle ${rule.handle}`;
        const { handle: _, ...shown } = rule;
        return {
          statements: rule.expr.map((statement) => compileStatement(statement, sets)),
          text: () => nftRuleText(rule),
          where: () => `${family} ${table} ${name} ${place}: ${nftRuleText(shown)}`,
        };
      }),
    };
    byName.set(name, chain);
    return chain;
  });
}
