import { expect, test } from "vitest";
import type { RuleEntry } from "../host/netlink-entry.ts";
import { unmodelledRules, unmodelledTables } from "./unmodelled.ts";

function rule(priority: number, table: number, fields: Partial<RuleEntry> = {}): RuleEntry {
  return { family: 2, priority, table, plain: true, source: null, destination: null, ...fields };
}

const DEFAULTS = [rule(0, 255), rule(32766, 254), rule(32767, 253)];

test("the rules that every namespace has are nothing to tell, in either protocol, and a kernel without any neither", () => {
  const six = [rule(0, 255, { family: 10 }), rule(32766, 254, { family: 10 })];
  expect(unmodelledRules([...DEFAULTS, ...six])).toEqual([]);
  expect(unmodelledRules(DEFAULTS)).toEqual([]);
  expect(unmodelledRules([])).toEqual([]);
});

test("other rules, rules with conditions in place of a default one, and missing ones bear on routing", () => {
  const objects = (rules: RuleEntry[]) => unmodelledRules(rules).map(({ object }) => object);
  expect(objects([...DEFAULTS, rule(100, 5, { plain: false, source: "10.0.0.0/8" })])).toEqual([
    "ip rule 100: from 10.0.0.0/8 lookup 5",
  ]);
  expect(objects([rule(0, 255), rule(32766, 254, { plain: false }), rule(32767, 253)])).toEqual([
    "ip rule 32766: from all lookup 254",
    "ip rule 32766: missing",
  ]);
  expect(objects([rule(0, 255, { family: 10 })])).toEqual(["ip -6 rule 32766: missing"]);
  expect(unmodelledRules([rule(1, 2)])[0]?.bearsOn).toBe("routing");
});

test("tables that nft does not show in full", () => {
  expect(unmodelledTables(["iptables filter"], ["ip x"]).map(({ object }) => object)).toEqual([
    "legacy iptables filter table",
    "nft table ip x: flags that nft does not tell",
  ]);
});
