import { describe, expect, test } from "vitest";
import type { Answer } from "../model/reachability.ts";
import { IP_RULE_CASES } from "./ip-rule-cases.ts";
import { LINK_RULE_CASES } from "./link-rule-cases.ts";
import type { RuleCase } from "./rule-case.ts";
import { WALK_RULES, type WalkRule } from "./walk-rules.ts";

const outcome = ({ stop, outcome: text }: Answer) => stop?.cause ?? text;

const CASES: Record<WalkRule, RuleCase> = { ...LINK_RULE_CASES, ...IP_RULE_CASES };

describe("every rule of the walk matters", () => {
  test.each(WALK_RULES)("%s", (without) => {
    const { wiring, ask, look = outcome, followed, ignored } = CASES[without];
    const [from, address, how, options] = ask;
    expect(look(wiring().ask(from, address, how, options))).toEqual(followed);
    expect(look(wiring().ask(from, address, how, { ...options, without }))).toEqual(ignored);
  });
});
