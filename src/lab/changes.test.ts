import { expect, test } from "vitest";
import type { DomainPlan } from "../model/plan.ts";
import type { DomainState } from "../platforms/platform.ts";
import { labChanges } from "./changes.ts";
import type { StoredLab } from "./context.ts";
import { domainPlan, labPlan, ROOTS } from "./fixture.ts";

const PLAN = labPlan();
const stored = (changes: Partial<StoredLab> = {}): StoredLab =>
  JSON.parse(JSON.stringify({ plan: PLAN, roots: ROOTS, unsettled: null, ...changes })) as StoredLab;
const states = (entries: Record<string, DomainState["state"]>): DomainState[] =>
  Object.entries(entries).map(([name, state]) => ({ lab: "demo", name, state, pid: null, orphan: false }));
const RUNNING = states({ one: "running", two: "running" });
const NAMESPACES = Object.keys(PLAN.network);

type Args = Parameters<typeof labChanges>;
const more = ({ limits }: DomainPlan, { limits: { memoryBytes } }: DomainPlan) => memoryBytes > limits.memoryBytes;

/** Names only. The platform can take memory from a domain that runs, and gives it none. */
async function changes(...[plan, roots, stored, states, namespaces]: Args extends [...infer A, unknown] ? A : never) {
  const fits: Args[5] = async (before, domain) => !more(before, domain);
  const { removeNamespaces, destroy, ...lists } = await labChanges(plan, roots, stored, states, namespaces, fits);
  const [create, keep, limit] = [lists.create, lists.keep, lists.limit].map((list) => list.map(({ name }) => name));
  return { destroy, create, keep, limit, removeNamespaces };
}
const NO_CHANGE = { destroy: [], create: [], keep: ["one", "two"], limit: [], removeNamespaces: [] };
const ONE_ANEW = { ...NO_CHANGE, destroy: ["one"], create: ["one"], keep: ["two"] };

test("a lab that was never there is made", async () => {
  expect(await changes(PLAN, ROOTS, null, [], [])).toEqual({ ...NO_CHANGE, create: ["one", "two"], keep: [] });
});

test("a lab that is as it should be is kept, though its stored plan has been through JSON", async () => {
  expect(await changes(PLAN, ROOTS, stored(), RUNNING, NAMESPACES)).toEqual(NO_CHANGE);
});

test("a domain is made anew when its plan has changed", async () => {
  const changed = labPlan([domainPlan("one", 1, { hostname: "uno" }), domainPlan("two", 2)]);
  expect(await changes(changed, ROOTS, stored(), RUNNING, NAMESPACES)).toEqual(ONE_ANEW);
});

test.each(["stopped", "prepared"] as const)("a domain that is %s is made anew", async (state) => {
  expect(await changes(PLAN, ROOTS, stored(), states({ one: state, two: "running" }), NAMESPACES)).toEqual(ONE_ANEW);
});

test("a domain of which the platform knows nothing is made anew", async () => {
  expect(await changes(PLAN, ROOTS, stored(), states({ two: "running" }), NAMESPACES)).toEqual(ONE_ANEW);
});

test("a domain that lost its namespace is made anew", async () => {
  const left = NAMESPACES.filter((name) => name !== "cloison.demo.one");
  expect(await changes(PLAN, ROOTS, stored(), RUNNING, left)).toEqual(ONE_ANEW);
});

test("a domain of which a crash left open by which plan it runs is made anew", async () => {
  expect(await changes(PLAN, ROOTS, stored({ unsettled: ["one"] }), RUNNING, NAMESPACES)).toEqual({
    ...ONE_ANEW,
    // Which limits it has is open, too.
    limit: ["two"],
  });
});

test("domains of an image that was built anew are made anew", async () => {
  const all = { ...NO_CHANGE, destroy: ["one", "two"], create: ["one", "two"], keep: [] };
  expect(await changes(PLAN, { plain: "/images/newer" }, stored(), RUNNING, NAMESPACES)).toEqual(all);
});

test("domains that the file no longer has go, with their namespaces", async () => {
  const fewer = labPlan([domainPlan("one", 1)]);
  const expected = { ...NO_CHANGE, destroy: ["two"], keep: ["one"], removeNamespaces: ["cloison.demo.two"] };
  expect(await changes(fewer, ROOTS, stored(), RUNNING, NAMESPACES)).toEqual(expected);
});

test("what nobody knows of goes, too", async () => {
  const found = states({ one: "running", two: "running", stray: "running" });
  const expected = { ...NO_CHANGE, destroy: ["stray"], removeNamespaces: ["cloison.demo.stray"] };
  expect(await changes(PLAN, ROOTS, stored(), found, [...NAMESPACES, "cloison.demo.stray"])).toEqual(expected);
});

test("a domain goes on while a static interface of it changes, and is made anew when one by DHCP does", async () => {
  const [vif] = domainPlan("one", 1).vifs;
  if (vif === undefined) throw new Error("the fixture has no interface");
  const two = domainPlan("two", 2);
  const moved = (configuration: "static" | "dhcp", address: string) =>
    labPlan([domainPlan("one", 1, { vifs: [{ ...vif, configuration, address }] }), two]);
  const before = (configuration: "static" | "dhcp") => stored({ plan: moved(configuration, "10.9.0.11") });
  const now = (configuration: "static" | "dhcp") => moved(configuration, "10.9.0.99");
  expect(await changes(now("static"), ROOTS, before("static"), RUNNING, NAMESPACES)).toEqual(NO_CHANGE);
  expect(await changes(now("dhcp"), ROOTS, before("dhcp"), RUNNING, NAMESPACES)).toEqual(ONE_ANEW);
  expect(await changes(now("dhcp"), ROOTS, before("static"), RUNNING, NAMESPACES)).toEqual(ONE_ANEW);
});

test("a domain goes on with other limits where its platform can set them, and is made anew where it cannot", async () => {
  const { limits } = domainPlan("one", 1);
  const of = (memoryBytes: number) =>
    labPlan([domainPlan("one", 1, { limits: { ...limits, memoryBytes } }), domainPlan("two", 2)]);
  const set = { ...NO_CHANGE, limit: ["one"] };
  expect(await changes(of(limits.memoryBytes - 1), ROOTS, stored(), RUNNING, NAMESPACES)).toEqual(set);
  expect(await changes(of(limits.memoryBytes + 1), ROOTS, stored(), RUNNING, NAMESPACES)).toEqual(ONE_ANEW);
});
