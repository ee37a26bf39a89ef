import { expect, test } from "vitest";
import type { DomainState } from "../platforms/platform.ts";
import { labChanges } from "./changes.ts";
import type { StoredLab } from "./context.ts";
import { domainPlan, labPlan, ROOTS } from "./fixture.ts";

const PLAN = labPlan();
const stored = (changes: Partial<StoredLab> = {}): StoredLab =>
  JSON.parse(JSON.stringify({ plan: PLAN, roots: ROOTS, unsettled: [], ...changes })) as StoredLab;
const states = (entries: Record<string, DomainState["state"]>): DomainState[] =>
  Object.entries(entries).map(([name, state]) => ({ lab: "demo", name, state, pid: null, orphan: false }));
const RUNNING = states({ one: "running", two: "running" });
const NAMESPACES = Object.keys(PLAN.network);

/** Names only. */
function changes(...args: Parameters<typeof labChanges>) {
  const { destroy, create, keep, removeNamespaces } = labChanges(...args);
  return { destroy, create: create.map(({ name }) => name), keep: keep.map(({ name }) => name), removeNamespaces };
}
const NO_CHANGE = { destroy: [], create: [], keep: ["one", "two"], removeNamespaces: [] };
const ONE_ANEW = { ...NO_CHANGE, destroy: ["one"], create: ["one"], keep: ["two"] };

test("a lab that was never there is made", () => {
  expect(changes(PLAN, ROOTS, null, [], [])).toEqual({ ...NO_CHANGE, create: ["one", "two"], keep: [] });
});

test("a lab that is as it should be is kept, though its stored plan has been through JSON", () => {
  expect(changes(PLAN, ROOTS, stored(), RUNNING, NAMESPACES)).toEqual(NO_CHANGE);
});

test("a domain is made anew when its plan has changed", () => {
  const changed = labPlan([domainPlan("one", 1, { hostname: "uno" }), domainPlan("two", 2)]);
  expect(changes(changed, ROOTS, stored(), RUNNING, NAMESPACES)).toEqual(ONE_ANEW);
});

test.each(["stopped", "prepared"] as const)("a domain that is %s is made anew", (state) => {
  expect(changes(PLAN, ROOTS, stored(), states({ one: state, two: "running" }), NAMESPACES)).toEqual(ONE_ANEW);
});

test("a domain of which the platform knows nothing is made anew", () => {
  expect(changes(PLAN, ROOTS, stored(), states({ two: "running" }), NAMESPACES)).toEqual(ONE_ANEW);
});

test("a domain that lost its namespace is made anew", () => {
  const left = NAMESPACES.filter((name) => name !== "cloison.demo.one");
  expect(changes(PLAN, ROOTS, stored(), RUNNING, left)).toEqual(ONE_ANEW);
});

test("a domain of which a crash left open by which plan it runs is made anew", () => {
  expect(changes(PLAN, ROOTS, stored({ unsettled: ["one"] }), RUNNING, NAMESPACES)).toEqual(ONE_ANEW);
});

test("domains of an image that was built anew are made anew", () => {
  const all = { ...NO_CHANGE, destroy: ["one", "two"], create: ["one", "two"], keep: [] };
  expect(changes(PLAN, { plain: "/images/newer" }, stored(), RUNNING, NAMESPACES)).toEqual(all);
});

test("domains that the file no longer has go, with their namespaces", () => {
  const fewer = labPlan([domainPlan("one", 1)]);
  const expected = { ...NO_CHANGE, destroy: ["two"], keep: ["one"], removeNamespaces: ["cloison.demo.two"] };
  expect(changes(fewer, ROOTS, stored(), RUNNING, NAMESPACES)).toEqual(expected);
});

test("what nobody knows of goes, too", () => {
  const found = states({ one: "running", two: "running", stray: "running" });
  const expected = { ...NO_CHANGE, destroy: ["stray"], removeNamespaces: ["cloison.demo.stray"] };
  expect(changes(PLAN, ROOTS, stored(), found, [...NAMESPACES, "cloison.demo.stray"])).toEqual(expected);
});

test("a domain goes on while a static interface of it changes, and is made anew when one by DHCP does", () => {
  const [vif] = domainPlan("one", 1).vifs;
  if (vif === undefined) throw new Error("the fixture has no interface");
  const two = domainPlan("two", 2);
  const moved = (configuration: "static" | "dhcp", address: string) =>
    labPlan([domainPlan("one", 1, { vifs: [{ ...vif, configuration, address }] }), two]);
  const before = (configuration: "static" | "dhcp") => stored({ plan: moved(configuration, "10.9.0.11") });
  const now = (configuration: "static" | "dhcp") => moved(configuration, "10.9.0.99");
  expect(changes(now("static"), ROOTS, before("static"), RUNNING, NAMESPACES)).toEqual(NO_CHANGE);
  expect(changes(now("dhcp"), ROOTS, before("dhcp"), RUNNING, NAMESPACES)).toEqual(ONE_ANEW);
  expect(changes(now("dhcp"), ROOTS, before("static"), RUNNING, NAMESPACES)).toEqual(ONE_ANEW);
});
