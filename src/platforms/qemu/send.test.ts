import { expect, test } from "vitest";
import { createFakeHost, type FakeHost } from "../../host/fake.ts";
import type { Connection } from "../../host/host.ts";
import { domainPlan, labPlan } from "../../lab/fixture.ts";
import type { Workspace } from "../platform.ts";
import { send, settle } from "./send.ts";

const WORKSPACE: Workspace = {
  directory: "/state/labs/demo",
  rootfs: () => "/images/plain",
  cgroup: "cloison/demo",
  record: async () => undefined,
};
const DOMAIN = domainPlan("one", 1);
const PLAN = labPlan([DOMAIN]);

interface Qemu {
  migration: string;
  /** null: no disk is copied. */
  job: "copying" | "ready" | null;
  status: string;
  /** What sending comes to when it may go on. */
  comesTo: "completed" | "failed";
}

/** A QEMU of which only what a move touches is there. What it is told stands in the host's records, among all else. */
function machine(given: Partial<Qemu> = {}): { host: FakeHost; qemu: Qemu } {
  const qemu: Qemu = { migration: "none", job: null, status: "running", comesTo: "completed", ...given };
  const answers: Record<string, () => unknown> = {
    "query-status": () => ({ status: qemu.status }),
    "query-migrate": () => {
      const status = qemu.migration;
      if (status === "active") qemu.migration = "pre-switchover";
      if (status === "device") qemu.migration = qemu.comesTo;
      return status === "none" ? {} : { status };
    },
    "query-block-jobs": () => {
      const { job } = qemu;
      if (job === "copying") qemu.job = "ready";
      return job === null
        ? []
        : [{ device: "move", len: 100, offset: job === "ready" ? 100 : 40, ready: job === "ready" }];
    },
    "query-named-block-nodes": () => [],
    "blockdev-mirror": () => ((qemu.job = "copying"), {}),
    "block-job-cancel": () => ((qemu.job = null), {}),
    migrate: () => ((qemu.migration = "active"), {}),
    "migrate-continue": () => ((qemu.migration = "device"), {}),
    migrate_cancel: () => ((qemu.migration = "cancelled"), {}),
  };
  const connect = (): Connection => {
    const says = ['{"QMP": {}}\n'];
    let wake: () => void = () => undefined;
    return {
      async write(bytes) {
        const { execute } = JSON.parse(String(bytes)) as { execute: string };
        if (!execute.startsWith("query-") && execute !== "qmp_capabilities") host.records.push(execute);
        says.push(`${JSON.stringify({ return: answers[execute]?.() ?? {} })}\n`);
        wake();
      },
      async *[Symbol.asyncIterator]() {
        for (;;) {
          const next = says.shift();
          if (next !== undefined) yield Buffer.from(next);
          else await new Promise<void>((resolve) => (wake = resolve));
        }
      },
      close: () => undefined,
    };
  };
  // The guard needs not be waited for.
  const host = createFakeHost({ connect, answers: ({ argv }) => (argv.includes("guard") ? { code: 0 } : undefined) });
  // What QEMU has not answered for long it never does here.
  host.clock.sleep = (ms) => (ms > 1000 ? new Promise(() => undefined) : Promise.resolve());
  return { host, qemu };
}

/** What is done to QEMU, to interfaces and to the record, in its order. */
const steps = (host: FakeHost) =>
  host.records.flatMap((line) => {
    if (/^(?:write|remove) .*\/shut-down/.test(line))
      return line.startsWith("write") ? ["not to be started"] : ["to be started"];
    if (/^start .* guard /s.test(line)) return ["guard"];
    return /^(?:blockdev|block-job|migrate|cont|switching).*/.exec(line) ?? /ip link set vif\S+ \w+/.exec(line) ?? [];
  });

const options = (host: FakeHost) => ({
  onProgress: () => undefined,
  onSwitching: async () => void host.records.push("switching"),
});

test("the disk is whole before memory is sent, and the domain fenced before the rest is", async () => {
  const { host } = machine();
  await send(host, WORKSPACE, PLAN, DOMAIN, options(host));
  expect(steps(host)).toEqual([
    "blockdev-add",
    "blockdev-mirror",
    "guard",
    "migrate-set-parameters",
    "migrate-set-capabilities",
    "migrate",
    "block-job-cancel",
    "blockdev-del",
    "switching",
    "not to be started",
    "ip link set vif1.0 down",
    "migrate-continue",
  ]);
});

test("what fails behind the fence is taken back: the domain has its interfaces, and goes on", async () => {
  const { host, qemu } = machine({ comesTo: "failed" });
  await expect(send(host, WORKSPACE, PLAN, DOMAIN, options(host))).rejects.toThrow("QEMU lost the other one");
  qemu.status = "postmigrate";
  await host.cgroups.ensure("cloison/demo/one");
  host.cgroups.pids = async () => [7];
  host.records.length = 0;
  expect(await settle(host, WORKSPACE, PLAN, DOMAIN)).toBe("here");
  expect(steps(host)).toEqual(["migrate-set-capabilities", "ip link set vif1.0 up", "cont", "to be started"]);
});

test.each([
  {
    cut: { migration: "active", job: "ready" },
    outcome: "here",
    done: ["migrate_cancel", "block-job-cancel", "migrate-set-capabilities", "ip link set vif1.0 up", "to be started"],
  },
  {
    cut: { migration: "none", job: "copying" },
    outcome: "here",
    done: ["block-job-cancel", "migrate-set-capabilities", "ip link set vif1.0 up", "to be started"],
  },
  { cut: { migration: "completed", job: null, status: "postmigrate" }, outcome: "sent", done: [] },
  // What was completed is a snapshot of it.
  {
    cut: { migration: "completed", job: "copying" },
    outcome: "here",
    done: ["block-job-cancel", "migrate-set-capabilities", "ip link set vif1.0 up", "to be started"],
  },
  // Nobody knows yet: it is waited for.
  { cut: { migration: "device", job: null, status: "postmigrate" }, outcome: "sent", done: [] },
] as const)("cut off at $cut, it is $outcome", async ({ cut, outcome, done }) => {
  const { host } = machine(cut);
  host.cgroups.pids = async () => [7];
  expect(await settle(host, WORKSPACE, PLAN, DOMAIN)).toBe(outcome);
  expect(steps(host)).toEqual(done);
});

test("one without a process is gone", async () => {
  const { host } = machine();
  expect(await settle(host, WORKSPACE, PLAN, DOMAIN)).toBe("gone");
});
