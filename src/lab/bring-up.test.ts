import { beforeEach, expect, test, vi } from "vitest";
import type { FakeHost } from "../host/fake.ts";
import { LabError } from "../model/error.ts";
import type { LabPlan } from "../model/plan.ts";
import { bringUp, type BringUpStep } from "./bring-up.ts";
import { readStoredLab } from "./context.ts";
import { createFixture, domainPlan, labPlan, ROOTS, type Fixture } from "./fixture.ts";
import { readJournal } from "./journal.ts";

// Talks to the kernel, and is tested for itself.
vi.mock("../netstate/apply.ts", () => ({
  async applyNetwork(
    host: FakeHost,
    wanted: object,
    { fresh, from, onBridges }: { fresh: string[]; from?: object; onBridges(): Promise<void> },
  ) {
    const known = from === undefined ? "" : ", all known";
    host.records.push(`apply network to ${Object.keys(wanted).length} namespaces, ${fresh.length} of them new${known}`);
    await onBridges();
    return [];
  },
}));

const PLAN = labPlan();
/** Each domain differs from its namesake in PLAN. */
const CHANGED = labPlan([domainPlan("one", 1, { hostname: "uno" }), domainPlan("two", 2)]);

let fixture: Fixture;
beforeEach(() => {
  fixture = createFixture();
});

async function up(
  plan: LabPlan = PLAN,
  options: { signal?: AbortSignal; parallel?: number; changedOnly?: boolean; only?: string[] } = {},
): Promise<BringUpStep[]> {
  const steps: BringUpStep[] = [];
  await bringUp(fixture.context, plan, ROOTS, { parallel: 1, onStep: (step) => steps.push(step), ...options });
  return steps;
}

/** The records so far, in words, and none from then on. What the LAN's programs do runs beside the rest, and is told apart. */
function story(): { lab: string[]; lan: string[] } {
  const lines = fixture.host.records.splice(0).map((line) => {
    const [first = "", ...text] = line.split("\n");
    if (first.startsWith("append")) {
      const { undos } = JSON.parse(text.join("").trim()) as { undos: { kind: string; name: string }[] };
      return `record ${undos.map(({ kind, name }) => `${kind} ${name}`).join(", ")}`;
    }
    return first.replace(/^start detached (?:\[.*?\] )?(\S+).*/, "run $1");
  });
  const isLan = (line: string) => /\/lan\/|^run /.test(line);
  return {
    lab: lines.filter((line) => !isLan(line)),
    lan: lines.filter((line) => /^(run|destroy cgroup) /.test(line) && isLan(line)),
  };
}

/** Of the story, what was done with domains. */
function domainSteps(): string[] {
  return story().lab.filter((line) => /^(limit|prepare|start|destroy) (?!cgroup)/.test(line));
}

async function nothingIsLeft(): Promise<void> {
  expect([...fixture.running]).toEqual([]);
  expect(await fixture.host.namespaces.list()).toEqual([]);
  expect(await fixture.host.cgroups.children("cloison")).toEqual([]);
  expect([...fixture.host.files.texts.keys()]).toEqual([]);
}

const NAMESPACES = Object.keys(PLAN.network);
const BEGUN = [
  "write /state/labs/demo/changing.json.new",
  "rename /state/labs/demo/changing.json.new /state/labs/demo/changing.json",
];
const STAGED = "write /state/labs/demo/plan.json.next";
const STORED = [
  "rename /state/labs/demo/plan.json.next /state/labs/demo/plan.json",
  "remove /state/labs/demo/changing.json",
];

test("a new lab: what undoes a step is recorded before it is taken, and the plan is stored when all stands", async () => {
  const steps = await up();
  const { lab, lan } = story();
  expect(lab).toEqual([
    // What a crash may have left of a lab of that name.
    "destroy cgroup cloison/demo",
    "remove namespaces ",
    "remove /run/cloison/runc/demo",
    "remove /run/cloison/qemu/demo",
    "remove /run/cloison/xen/demo",
    "remove /state/labs/demo",
    "remove /run/cloison/demo",
    "make directory /state/labs/demo",
    `record ${NAMESPACES.map((name) => `namespace ${name}`).join(", ")}`,
    `create namespaces ${NAMESPACES.join(" ")}`,
    "apply network to 6 namespaces, 6 of them new",
    "record domain one",
    "prepare one",
    "start one",
    "record domain two",
    "prepare two",
    "start two",
    STAGED,
    ...STORED,
  ]);
  expect(lan.toSorted()).toEqual(["run dnsmasq", "run web-server"]);
  expect(steps).toEqual([
    { step: "kept", names: [], limited: [] },
    { step: "network", changes: 0 },
    { step: "domain", name: "one", done: 1, of: 2 },
    { step: "domain", name: "two", done: 2, of: 2 },
  ]);
});

/** Brings PLAN up with programs on the LAN that go on running. */
async function upAlready(): Promise<void> {
  fixture = createFixture({ pids: { "cloison/demo/lan/dhcp-lan0": [5], "cloison/demo/lan/outside-web": [6] } });
  // Groups that have processes are what `up` finds; its first teardown ends them.
  await up();
  for (const group of ["dhcp-lan0", "outside-web"]) await fixture.host.cgroups.ensure(`cloison/demo/lan/${group}`);
  story();
}

test("a lab that is up already is not touched", async () => {
  await upAlready();
  const [first] = await up();
  expect(first).toEqual({ step: "kept", names: ["one", "two"], limited: [] });
  expect(story()).toEqual({
    lab: [
      "make directory /state/labs/demo",
      ...BEGUN,
      "apply network to 6 namespaces, 0 of them new",
      STAGED,
      ...STORED,
    ],
    lan: [],
  });
});

test("limits that have changed are set before anything is destroyed, and again after one was refused", async () => {
  await upAlready();
  const { limits } = domainPlan("one", 1);
  const tighter = domainPlan("one", 1, { limits: { ...limits, pids: 32 } });
  const changed = labPlan([tighter, domainPlan("two", 2, { hostname: "due" })]);
  const failure = new Error("it uses more");
  fixture.failures.set("limit one", failure);
  await expect(up(changed)).rejects.toThrow(failure);
  fixture.failures.clear();
  expect(domainSteps()).toEqual(["limit one"]);
  expect((await up(changed))[0]).toEqual({ step: "kept", names: ["one"], limited: ["one"] });
  expect(domainSteps()).toEqual(["limit one", "destroy two", "prepare two", "start two"]);
});

test("a changed domain is made anew, the other is not touched", async () => {
  await upAlready();
  await up(CHANGED);
  expect(story()).toEqual({
    lab: [
      "make directory /state/labs/demo",
      // From here on nobody takes it for what it was.
      ...BEGUN,
      "destroy one",
      "apply network to 6 namespaces, 0 of them new",
      STAGED,
      "record domain one",
      "prepare one",
      "start one",
      ...STORED,
    ],
    // Its host name is in the leases.
    lan: ["destroy cgroup cloison/demo/lan/dhcp-lan0", "run dnsmasq"],
  });
  expect(await readStoredLab(fixture.context, "demo")).toMatchObject({
    plan: { domains: [{ hostname: "uno" }, {}] },
    unsettled: null,
  });
});

test("one that is added alone leaves another that does not run as it is", async () => {
  await up();
  fixture.running.delete("two");
  story();
  await up(labPlan([domainPlan("one", 1), domainPlan("two", 2), domainPlan("three", 3)]), { only: ["three"] });
  expect(domainSteps()).toEqual(["prepare three", "start three"]);
  expect((await readStoredLab(fixture.context, "demo"))?.unsettled).toBe(null);
  const { plan } = (await readStoredLab(fixture.context, "demo")) ?? {};
  expect(plan?.domains.map(({ name }) => name)).toEqual(["one", "two", "three"]);
});

test("what is left as it is, though it is to be another, stays unsettled until it is made", async () => {
  await up();
  const three = labPlan([domainPlan("one", 1, { hostname: "uno" }), domainPlan("two", 2), domainPlan("three", 3)]);
  fixture.failures.set("start two", new Error("cut off"));
  await expect(up(labPlan([domainPlan("one", 1), domainPlan("two", 2, { hostname: "due" })]))).rejects.toThrow(
    "cut off",
  );
  fixture.failures.clear();
  story();
  await up(three, { only: ["three"] });
  expect(domainSteps()).toEqual(["prepare three", "start three"]);
  expect((await readStoredLab(fixture.context, "demo"))?.unsettled?.toSorted()).toEqual(["one", "two"]);
  await up(three);
  expect(domainSteps().filter((line) => line.startsWith("start"))).toEqual(["start one", "start two"]);
  expect((await readStoredLab(fixture.context, "demo"))?.unsettled).toBe(null);
});

test("an error tells which domains were destroyed for a change, and not made again", async () => {
  await up();
  fixture.failures.set("start one", new LabError("it does not start"));
  await expect(
    up(labPlan([domainPlan("one", 1, { hostname: "uno" }), domainPlan("two", 2, { hostname: "due" })])),
  ).rejects.toThrow("it does not start\nlab demo goes on without one, two");
});

test("an apply takes what is stored for what is there, and does not look after programs that stay as they are", async () => {
  await up();
  story();
  await up(PLAN, { changedOnly: true });
  const { lab, lan } = story();
  expect(lab).toContain("apply network to 6 namespaces, 0 of them new, all known");
  // None of them runs on the fake machine.
  expect(lan).toEqual([]);
  await up(CHANGED, { changedOnly: true });
  // Its leases are others.
  expect(story().lan).toContain("run dnsmasq");
});

test("where namespaces are gone, as after a restart of the machine, an apply knows nothing", async () => {
  await up();
  await fixture.host.namespaces.remove(NAMESPACES);
  story();
  await up(PLAN, { changedOnly: true });
  const { lab, lan } = story();
  expect(lab).toContain("apply network to 6 namespaces, 6 of them new");
  expect(lan.toSorted()).toEqual(["run dnsmasq", "run web-server"]);
});

test("after a change that was cut off an apply knows nothing, until one is complete", async () => {
  await up();
  fixture.failures.set("destroy one", new Error("cut off"));
  await expect(up(CHANGED, { changedOnly: true })).rejects.toThrow("cut off");
  expect(await readStoredLab(fixture.context, "demo")).toMatchObject({
    plan: { domains: [{ hostname: "one" }, {}] },
    unsettled: ["one"],
  });
  fixture.failures.clear();
  story();
  await up(CHANGED, { changedOnly: true });
  const { lab, lan } = story();
  expect(lab).toContain("apply network to 6 namespaces, 0 of them new");
  expect(lan.toSorted()).toEqual(["run dnsmasq", "run web-server"]);
  await up(CHANGED, { changedOnly: true });
  expect(story().lab).toContain("apply network to 6 namespaces, 0 of them new, all known");
});

test("a lab of another platform is removed first", async () => {
  await up();
  story();
  await up(labPlan(undefined, { platform: "shared" }));
  const { lab } = story();
  expect(lab.slice(0, 3)).toEqual(["destroy two", "destroy one", "destroy cgroup cloison/demo"]);
  expect(lab).toContain("start two");
});

test("domains are made as many at a time as was said", async () => {
  const domains = [1, 2, 3, 4, 5, 6].map((id) => domainPlan(`d${id}`, id));
  let atOnce = 0;
  let most = 0;
  const { container } = fixture.context.platforms;
  const start = container.start.bind(container);
  container.start = async (...args) => {
    most = Math.max(most, ++atOnce);
    await new Promise((resolve) => setImmediate(resolve));
    await start(...args);
    atOnce -= 1;
  };
  await up(labPlan(domains), { parallel: 3 });
  expect(most).toBe(3);
  expect(fixture.running.size).toBe(6);
});

test.each(["prepare one", "start one", "prepare two", "start two"] as const)(
  "a new lab that fails at %s leaves nothing",
  async (step) => {
    fixture.failures.set(step, new LabError("no luck", { hint: "try again" }));
    await expect(up()).rejects.toMatchObject({ message: "no luck", hint: "try again" });
    await nothingIsLeft();
  },
);

test("a new lab that is interrupted leaves nothing", async () => {
  const abort = new AbortController();
  fixture.onStep = (step) => {
    if (step === "prepare one") abort.abort(new LabError("interrupted"));
  };
  await expect(up(PLAN, { signal: abort.signal })).rejects.toThrow("interrupted");
  expect(fixture.host.records).not.toContain("prepare two");
  await nothingIsLeft();
});

test("a new lab whose DHCP server does not start leaves nothing", async () => {
  fixture = createFixture({ answers: () => ({ code: 1 }) });
  await expect(up()).rejects.toThrow("the DHCP server of lab demo does not start");
  await nothingIsLeft();
});

test("a failed change leaves the lab's other domains, and says so; the next up makes what is missing", async () => {
  await upAlready();
  fixture.failures.set("start one", new LabError("no luck"));
  const three = domainPlan("three", 3);
  await expect(up(labPlan([...CHANGED.domains, three]))).rejects.toThrow("no luck\nlab demo goes on without one");
  expect([...fixture.running]).toEqual(["two"]);
  expect(await fixture.host.namespaces.list()).not.toContain("cloison.demo.three");

  fixture.failures.clear();
  story();
  await up();
  const { lab } = story();
  expect(lab).toContain("start one");
  expect(lab).not.toContain("start two");
});

test("a change that was cut off leaves no domain that passes for what it is not", async () => {
  await upAlready();
  fixture.failures.set("destroy one", new Error("no luck"));
  await expect(up(CHANGED)).rejects.toThrow("no luck");
  expect(await readStoredLab(fixture.context, "demo")).toMatchObject({ unsettled: ["one"] });

  fixture.failures.clear();
  story();
  // It runs, and by the plan that is asked for again; but nobody can know that.
  await up();
  expect(story().lab).toEqual(expect.arrayContaining(["destroy one", "start one"]));
});

test("what cannot be undone is said together with why it had to be", async () => {
  fixture.failures.set("start one", new Error("no luck"));
  fixture.failures.set("destroy one", new Error("it does not die"));
  const failure = up();
  await expect(failure).rejects.toThrow(
    /^no luck\nand what had been made could not be removed: lab demo could not be removed wholly:\n {2}domain one: it does not die/,
  );
  await expect(failure).rejects.toMatchObject({ hint: "run cloison down demo" });
  expect(await readJournal(fixture.host, fixture.context.paths, "demo")).not.toEqual([]);
});

test.each([
  ["another version of Cloison has stored", JSON.stringify({ plan: PLAN, roots: ROOTS })],
  ["a power cut has left half stored", JSON.stringify({ plan: PLAN, roots: ROOTS }).slice(0, 100)],
])("a lab that %s is made anew", async (_, text) => {
  await up();
  fixture.host.files.texts.set("/state/labs/demo/plan.json", text);
  story();
  await up();
  expect(story().lab).toContain("start two");
});

test("vifs that domains bring along are there before the network is made", async () => {
  const plan = { ...PLAN, platform: "xen" as const };
  const order = (lines: string[]) => lines.filter((line) => /^(start|apply network)/.test(line));
  const all = NAMESPACES.length;
  await up(plan);
  // What a vif has come into is looked at.
  expect(order(story().lab)).toEqual([
    "start one",
    "start two",
    `apply network to ${all} namespaces, ${all - 1} of them new`,
  ]);
  await up(plan, { changedOnly: true });
  expect(order(story().lab)).toEqual([`apply network to ${all} namespaces, 0 of them new, all known`]);
  fixture.running.delete("two");
  await up(plan, { changedOnly: true });
  expect(order(story().lab)).toEqual(["start two", `apply network to ${all} namespaces, 0 of them new`]);
});
