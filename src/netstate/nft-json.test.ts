import { describe, expect, test } from "vitest";
import type { NftHook, NftTable } from "../model/nft.ts";
import { parseRuleset, removeCommands, replaceCommands, updateCommands } from "./nft-json.ts";

const GUARD: NftTable = {
  family: "bridge",
  name: "cloison-guard",
  sets: [
    { name: "vifs", type: "ifname", elements: ["vif1.0"] },
    { name: "ways", type: "ifname", map: "verdict", elements: [["vif1.0", { drop: null }]] },
  ],
  chains: [
    {
      name: "prerouting",
      base: { type: "filter", hook: "prerouting", priority: -300, policy: "accept" },
      rules: [{ comment: "x", expr: [{ counter: null }, { drop: null }] }],
    },
    { name: "inward", base: null, rules: [] },
  ],
};

/** What nft 1.0.6 lists of it, handles included. */
const LISTED = {
  nftables: [
    { metainfo: { version: "1.0.6", json_schema_version: 1 } },
    { table: { family: "bridge", name: "cloison-guard", handle: 1 } },
    { set: { family: "bridge", name: "vifs", table: "cloison-guard", type: "ifname", handle: 2, elem: ["vif1.0"] } },
    {
      map: {
        family: "bridge",
        name: "ways",
        table: "cloison-guard",
        type: "ifname",
        handle: 3,
        map: "verdict",
        elem: [["vif1.0", { drop: null }]],
      },
    },
    {
      chain: {
        family: "bridge",
        table: "cloison-guard",
        name: "prerouting",
        handle: 1,
        type: "filter",
        hook: "prerouting",
        prio: -300,
        policy: "accept",
      },
    },
    { chain: { family: "bridge", table: "cloison-guard", name: "inward", handle: 4 } },
    {
      rule: {
        family: "bridge",
        table: "cloison-guard",
        chain: "prerouting",
        handle: 5,
        comment: "x",
        expr: [{ counter: { packets: 3, bytes: 9 } }, { drop: null }],
      },
    },
  ],
};

describe("nftables as JSON", () => {
  test("a table is replaced in one transaction: chains before sets before rules", () => {
    const own = { family: "bridge", table: "cloison-guard" };
    expect(replaceCommands([GUARD])).toEqual([
      { add: { table: { family: "bridge", name: "cloison-guard" } } },
      { delete: { table: { family: "bridge", name: "cloison-guard" } } },
      { add: { table: { family: "bridge", name: "cloison-guard" } } },
      {
        add: {
          chain: { ...own, name: "prerouting", type: "filter", hook: "prerouting", prio: -300, policy: "accept" },
        },
      },
      { add: { chain: { ...own, name: "inward" } } },
      { add: { set: { ...own, name: "vifs", type: "ifname", elem: ["vif1.0"] } } },
      { add: { map: { ...own, name: "ways", type: "ifname", map: "verdict", elem: [["vif1.0", { drop: null }]] } } },
      { add: { rule: { ...own, chain: "prerouting", comment: "x", expr: [{ counter: null }, { drop: null }] } } },
    ]);
    expect(removeCommands(["inet cloison"])).toEqual([{ delete: { table: { family: "inet", name: "cloison" } } }]);
  });

  describe("a table that is there", () => {
    const at = { family: "inet", table: "cloison-host" };
    const rule = (text: string) => ({ comment: text, expr: [{ drop: null }] });
    const command = (text: string) => ({ add: { rule: { ...at, chain: "forward", ...rule(text) } } });
    const hook = (name: NftHook["hook"]): NftHook => ({ type: "filter", hook: name, priority: 0, policy: "accept" });
    const vifs = { name: "vifs", type: "ifname", elements: ["vif1.0", "vif2.0"] };
    const forward = { name: "forward", base: hook("forward"), rules: [rule("a")] };
    const before: NftTable = { family: "inet", name: "cloison-host", sets: [vifs], chains: [forward] };
    const update = (change: Partial<NftTable>) => updateCommands(before, { ...before, ...change });

    test("elements and rules that come, and those that go", () => {
      expect(update({})).toEqual([]);
      expect(update({ sets: [{ ...vifs, elements: ["vif2.0", "vif3.0"] }] })).toEqual([
        { delete: { element: { ...at, name: "vifs", elem: ["vif1.0"] } } },
        { add: { element: { ...at, name: "vifs", elem: ["vif3.0"] } } },
      ]);
      expect(update({ chains: [{ ...forward, rules: [rule("a"), rule("b")] }] })).toEqual([command("b")]);
      expect(update({ chains: [{ ...forward, rules: [rule("b"), rule("a")] }] })).toEqual([
        { flush: { chain: { ...at, name: "forward" } } },
        command("b"),
        command("a"),
      ]);
    });

    test("chains and sets that come", () => {
      const output = { name: "output", base: hook("output"), rules: [rule("c")] };
      const { name, base } = output;
      expect(update({ chains: [output, forward], sets: [vifs, { ...vifs, name: "more" }] })).toEqual([
        { add: { chain: { ...at, name, type: "filter", hook: "output", prio: base.priority, policy: "accept" } } },
        { add: { set: { ...at, ...vifs, name: "more", elements: undefined, elem: vifs.elements } } },
        { add: { rule: { ...at, chain: "output", ...rule("c") } } },
      ]);
    });

    test.each<[string, Partial<NftTable>]>([
      ["a set that goes", { sets: [] }],
      ["a set of another type", { sets: [{ ...vifs, type: "iface_index" }] }],
      ["a chain that goes", { chains: [] }],
      ["a chain of another hook", { chains: [{ ...forward, base: hook("input") }] }],
      ["a second chain of a hook", { chains: [{ ...forward, name: "first" }, forward] }],
      ["a set that gets flags", { sets: [{ ...vifs, flags: ["interval"] }] }],
      ["a map", { sets: [vifs, { ...vifs, name: "ways", map: "verdict" }] }],
    ])("%s: it is replaced", (_, change) => {
      expect(update(change)).toEqual(replaceCommands([{ ...before, ...change }]));
    });
  });

  test("what nft lists is read, with handles and counts", () => {
    const { tables, odd } = parseRuleset(JSON.stringify(LISTED));
    const rule = { handle: 5, comment: "x", expr: [{ counter: { packets: 3, bytes: 9 } }, { drop: null }] };
    const [prerouting, inward] = GUARD.chains;
    expect(tables).toEqual({
      "bridge cloison-guard": { ...GUARD, chains: [{ ...prerouting, rules: [rule] }, inward] },
    });
    expect(odd).toEqual([]);
  });

  test("a dormant table filters nothing; flags that are not known are told", () => {
    const list = (flags: unknown) => ({
      nftables: [
        { table: { family: "ip", name: "t", handle: 1, flags } },
        { chain: { family: "ip", table: "t", name: "c", handle: 1 } },
      ],
    });
    const chains = (flags: unknown) => parseRuleset(JSON.stringify(list(flags))).tables["ip t"]?.chains.length;
    expect(chains(["dormant"])).toBe(0);
    expect(chains("dormant")).toBe(0);
    expect(chains(["owner", "persist"])).toBe(1);
    // nft 1.0.6 lists the name of the table instead.
    expect(parseRuleset(JSON.stringify(list("t"))).odd).toEqual(["ip t"]);
  });
});
