import { expect, test, vi } from "vitest";
import { createClock } from "../host/clock.ts";
import { createFakeHost } from "../host/fake.ts";
import type { LabContext } from "../lab/context.ts";
import type { LoadClient, LoadJob, LoadResult } from "../load/load.ts";
import { LabError } from "../model/error.ts";
import { experimentSchema } from "../model/experiment.ts";
import type { LabPlan } from "../model/plan.ts";
import { trialSchema } from "../model/result.ts";
import { ERROR_KINDS } from "../model/samples.ts";
import type { Platform } from "../platforms/platform.ts";
import { samplesOf } from "./fixture.ts";
import { resultWithin } from "./load-deadline.ts";
import type { Station } from "./station.ts";
import { runTrial, type TrialStep } from "./trial.ts";

const EXPERIMENT = experimentSchema.parse({
  name: "e",
  lab: "lab.yaml",
  platforms: ["container"],
  duration: "40ms",
  settle: "1ms",
  probes: [{ probe: "http", target: "apache1", rate: 100, timeout: "100ms" }],
  phases: { reference: {}, flood: { floods: [{ on: "apache2", concurrency: 2 }] } },
});

const machine = (name: "station" | "outside") => ({
  name,
  namespace: `cloison.l.${name}`,
  address: "10.0.0.3",
  prefix: 24,
});
const PLAN = {
  lab: "l",
  platform: "container",
  placement: { platform: [0], station: [1], probe: [1], caveats: [] },
  domains: [{ name: "apache1" }, { name: "apache2" }],
  targets: {
    apache1: { context: "apache1", address: "10.0.0.11", host: "apache1" },
    apache2: { context: "apache2", address: "10.0.0.12", host: "apache2" },
  },
  machines: { station: machine("station"), outside: machine("outside") },
} as unknown as LabPlan;

/** What a client answers to a job: samples, or how it breaks. */
type Answer = (job: LoadJob) => Promise<LoadResult>;

function answered(latencyMs: number): Answer {
  return async ({ loop }) => {
    const rows = loop.mode === "open" ? (loop.rateHz * loop.durationMs) / 1000 : (loop.requests ?? 10);
    await createClock().sleep(loop.mode === "open" ? loop.durationMs : 1);
    const samples = samplesOf(Array.from({ length: Math.round(rows) }, () => latencyMs));
    if (loop.mode === "closed" && loop.requests === null) samples.startNs.fill(0);
    return { engine: "epoll", samples, startedAtMs: 0, elapsedMs: 40, clientCpuNs: 1, sendDelayMs: { p95: 0, max: 0 } };
  };
}

/** @param answers by the client's name, as `probe 0`; default: all is answered after 1 ms */
function fakeStation(answers: Record<string, Answer> = {}): Station & { stopped: string[] } {
  const stopped: string[] = [];
  const client = async (name: string): Promise<LoadClient> => ({
    engine: "epoll",
    start(job) {
      const result = (answers[name] ?? answered(1))(job);
      result.catch(() => undefined);
      return {
        result,
        progress: () => ({ begun: 0, finished: 0, failed: 0, recentP95Ms: 3 }),
        stop: () => void stopped.push(name),
      };
    },
    close: async () => undefined,
  });
  return {
    stopped,
    probe: (name) => client(`probe ${name}`),
    transfer: (name) => client(`transfer ${name}`),
    flood: (name) => client(`flood ${name}`),
    close: async () => undefined,
  };
}

function fakeContext(running: string[] = ["apache1", "apache2"]): LabContext {
  const host = createFakeHost({ files: { "/proc/stat": "cpu0 1 0 0 9 0 0 0 0\ncpu1 1 0 0 9 0 0 0 0\n" } });
  const nothing = {
    cpuNs: null,
    memoryPeakBytes: null,
    oomKills: null,
    pidsPeak: null,
    nrPeriods: null,
    nrThrottled: null,
    throttledNs: null,
  };
  const platform = {
    list: async () => running.map((name) => ({ lab: "l", name, state: "running", pid: 1, orphan: false })),
    usage: async () => nothing,
  } as unknown as Platform;
  return {
    host: { ...host, clock: createClock() },
    paths: { state: "/state", run: "/run" },
    platforms: { container: platform, shared: platform, namespace: platform, qemu: platform, xen: platform },
    pid: 1,
    startWebServer: () => Promise.reject(new Error("not asked for")),
  };
}

interface Options {
  phase?: string;
  annex?: boolean;
  station?: Station;
  context?: LabContext;
  signal?: AbortSignal;
}

async function runOne({
  phase = "flood",
  annex = false,
  station = fakeStation(),
  context = fakeContext(),
  signal,
}: Options = {}) {
  const steps: TrialStep[] = [];
  const outcome = await runTrial(context, {
    plan: PLAN,
    roots: {},
    pages: [],
    experiment: EXPERIMENT,
    scheduled: { block: 1, platform: "container", phase, annex },
    attempt: 1,
    station,
    earlier: [],
    onStep: (step) => void (steps.at(-1) !== step && steps.push(step)),
    ...(signal === undefined ? {} : { signal }),
  });
  expect(trialSchema.parse(outcome.trial)).toEqual(outcome.trial);
  return { ...outcome, steps };
}

const dies: Answer = async () => {
  await createClock().sleep(5);
  throw new LabError("the load client ended by itself (SIGKILL)");
};
/** Dies in the phase, not in the look at the domains before it. */
const diesMeasuring: Answer = (job) => (job.loop.mode === "open" ? dies(job) : answered(1)(job));

test("a trial in which all goes well is valid, and its steps come in order", async () => {
  const { trial, samples, broken, steps } = await runOne();
  expect(trial).toMatchObject({ id: "1-container-flood-1", valid: true, reasons: [] });
  expect(trial.readings.map(({ metric, role }) => `${metric} ${role}`)).toEqual([
    "http probe",
    "http floor",
    "flood load",
  ]);
  expect(samples.map(({ reading }) => reading)).toEqual(["probe:apache1", "floor:outside", "flood:apache2"]);
  expect(broken).toBe(false);
  expect(steps).toEqual([
    "waiting until the domains answer",
    "starting the load",
    "settling",
    "measuring",
    "stopping the load",
  ]);
});

test("the study's own probe has been answered before the others begin: it would be their load", async () => {
  const order: string[] = [];
  const told =
    (name: string): Answer =>
    async (job) => {
      if (job.loop.mode === "closed" && name !== "annex") return answered(1)(job);
      order.push(`${name} begins`);
      const result = await answered(1)(job);
      order.push(`${name} ends`);
      return result;
    };
  const station = fakeStation({ "probe annex": told("annex"), "probe 0": told("probe"), "probe floor": told("floor") });
  const { trial } = await runOne({ annex: true, station });
  expect(trial.reasons).toEqual([]);
  expect(order.slice(0, 3)).toEqual(["annex begins", "annex ends", "probe begins"]);
  expect(trial.readings.map(({ role }) => role)).toEqual(["probe", "floor", "annex", "load"]);
});

test.each(["probe 0", "probe floor", "flood 0"])(
  "a trial whose client %s dies is invalid, and says so",
  async (name) => {
    const rejected = vi.fn();
    process.on("unhandledRejection", rejected);
    const station = fakeStation({ [name]: name === "flood 0" ? dies : diesMeasuring });
    const { trial, broken } = await runOne({ station });
    await createClock().sleep(100);
    process.off("unhandledRejection", rejected);
    expect(trial).toMatchObject({
      valid: false,
      reasons: [expect.stringMatching(/^it broke off: the .*: the load client ended by itself \(SIGKILL\)$/)],
      readings: [],
    });
    expect(broken).toBe(true);
    expect(rejected).not.toHaveBeenCalled();
    expect(station.stopped).toContain("flood 0");
  },
);

test("a client that can't be started makes the trial invalid", async () => {
  const station = { ...fakeStation(), flood: () => Promise.reject(new LabError("the load client ended at its start")) };
  expect((await runOne({ station })).trial.reasons).toEqual(["it broke off: the load client ended at its start"]);
});

test("the unforeseen makes the trial invalid too, and shows where it came from", async () => {
  const station = { ...fakeStation(), flood: () => Promise.reject(new TypeError("x is not a function")) };
  expect((await runOne({ station })).trial.reasons).toEqual([
    expect.stringMatching(/^it broke off unexpectedly: TypeError: x is not a function\s+at /),
  ]);
});

test("a domain that died is named, whether the trial came to its end or broke off", async () => {
  const context = fakeContext(["apache1"]);
  const whole = await runOne({ context });
  expect(whole.trial.reasons).toEqual(["domain apache2 died during the trial"]);
  expect(whole.broken).toBe(false);
  const cut = await runOne({ context, station: fakeStation({ "flood 0": dies }) });
  expect(cut.trial.reasons).toEqual(["domain apache2 died during the trial", expect.stringContaining("it broke off")]);
});

test("a server that does not answer is waited for, then the trial is given up without measuring", async () => {
  let nowMs = 0;
  const clock = { ...createClock(), monotonicMs: () => (nowMs += 5000) };
  const context = fakeContext();
  const unanswered: Answer = async (job) => {
    const result = await answered(1)(job);
    result.samples.error.fill(ERROR_KINDS.indexOf("timeout"));
    return result;
  };
  const { trial, broken, steps } = await runOne({
    context: { ...context, host: { ...context.host, clock } },
    station: fakeStation({ "probe floor": unanswered }),
  });
  expect(trial.reasons).toEqual(["apache2 did not answer within 30 s before the trial"]);
  expect(broken).toBe(true);
  expect(steps).toEqual(["waiting until the domains answer"]);
});

test("an interruption at any moment ends the trial with its reason", async () => {
  for (const afterMs of [0, 1, 3, 10, 25, 45]) {
    const stop = new AbortController();
    const trial = runOne({
      signal: stop.signal,
      station: fakeStation({ "flood 0": () => new Promise(() => undefined) }),
    });
    setTimeout(() => stop.abort(new LabError("interrupted")), afterMs);
    await expect(trial).rejects.toThrow("interrupted");
  }
});

test("a client that hangs is not waited for beyond its time", async () => {
  const hangs = { result: new Promise<LoadResult>(() => undefined), progress: vi.fn(), stop: vi.fn() };
  await expect(resultWithin(createFakeHost(), "the flood of apache2", hangs, 2000)).rejects.toThrow(
    "the flood of apache2: its client did not answer within 2 s",
  );
});
