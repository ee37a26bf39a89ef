import { join, resolve } from "node:path";
import { environmentChanges, readEnvironment } from "../experiment/environment.ts";
import { createRunFolder, openRunFolder, requireNoFolder, type RunFolder } from "../experiment/run-folder.ts";
import { runExperiment, type RunProgress } from "../experiment/run-experiment.ts";
import { recordedExperiment, scaleExperiment } from "../experiment/scale.ts";
import { isSettled } from "../experiment/next-trial.ts";
import { formatCpuList } from "../model/cpu-list.ts";
import { ExitCode, LabError } from "../model/error.ts";
import type { Experiment } from "../model/experiment.ts";
import type { Lab, PlatformName } from "../model/lab.ts";
import type { Engine } from "../model/samples.ts";
import type { Scale } from "../model/scale.ts";
import { invalidTrialSentences, scaleSentences } from "../report/sentences.ts";
import { schedule } from "../schedule/schedule.ts";
import type { AppContext } from "./context.ts";
import { requirePackages, requireRoot } from "./packages.ts";
import { readExperimentFile } from "./read-files.ts";
import { readRunExperiment, reportRun, type Reported } from "./report.ts";
import { RunLabs } from "./run-labs.ts";

export type { RunProgress };

export interface RunOptions {
  /** null: the built-in study, or what `resume` holds. */
  file: string | null;
  scale: Scale;
  /** Instead of the experiment's own. */
  platforms?: PlatformName[];
  seed?: number;
  /** Folder of the run. */
  out?: string;
  /** Folder of a run to go on with. */
  resume?: string;
  engine?: Engine;
  signal?: AbortSignal;
  /** What is done before the first trial and after the last. */
  onPreparing?: (what: string) => void;
  onProgress?: (progress: RunProgress) => void;
}

export interface RunOutcome extends Reported {
  interrupted: boolean;
}

/**
 * Runs an experiment from the lab to the report. What is done is kept, whatever ends it.
 * @throws LabError (busy) when another command holds a lab of its name, or a lab of its name is not a run's
 */
export async function run(app: AppContext, options: RunOptions): Promise<RunOutcome> {
  requireRoot(app, "run");
  const start = options.resume === undefined ? await newRun(app, options) : await resumedRun(app, options.resume);
  const prepare = options.onPreparing ?? (() => undefined);
  const labs = await RunLabs.lock(app, start.lab, start.experiment.platforms);
  let folder: RunFolder | null = null;
  let failure: { error: unknown } | null = null;
  try {
    await labs.requirePlatforms(prepare);
    if (needsOutsideTraffic(start.experiment)) await requirePackages(app, ["iperf3"]);
    folder = await start.open();
    await work(app, options, folder, labs);
  } catch (error) {
    failure = { error: folder === null ? error : resumable(error, folder) };
  }
  prepare("removing the labs");
  const left = await labs.close();
  if (failure !== null) throw left.length === 0 ? failure.error : alsoLeft(left, failure.error);
  if (folder === null) throw new Error("a run that did not fail has a folder");
  prepare("writing the report");
  const reported = await reportRun(app, folder, await readRunExperiment(app, folder));
  if (left.length > 0) throw alsoLeft(left);
  return { ...reported, interrupted: options.signal?.aborted === true };
}

/** The outside machine sends or receives for the net stressors; it has no image of its own. */
function needsOutsideTraffic({ phases }: Experiment): boolean {
  return Object.values(phases).some(({ stressors }) => stressors.some(({ stressor }) => stressor.startsWith("net-")));
}

/** Runs what the folder does not hold yet. */
async function work(app: AppContext, options: RunOptions, folder: RunFolder, labs: RunLabs): Promise<void> {
  const prepare = options.onPreparing ?? (() => undefined);
  const signal = options.signal === undefined ? {} : { signal: options.signal };
  const experiment = await readRunExperiment(app, folder);
  if (experiment.seed === undefined) throw new Error("a recorded experiment has its seed");
  const scheduled = schedule(experiment, experiment.seed);
  if (isSettled(scheduled, await folder.trials(), experiment)) return;

  await labs.buildImages(prepare, options.signal);
  await recordEnvironment(app, folder, labs);
  const release = await stayOffThePlatform(app, labs.plans()[0]?.placement.station ?? app.host.machine.cpus);
  try {
    await runExperiment(app, {
      experiment,
      labs: labs.labs(),
      schedule: scheduled,
      folder,
      engine: options.engine ?? null,
      onPreparing: prepare,
      onTrial: (trial) => invalidTrialSentences(trial).forEach(app.say),
      onCalibrated: (calibration) => scaleSentences(calibration).forEach(app.say),
      ...signal,
      ...(options.onProgress === undefined ? {} : { onProgress: options.onProgress }),
    });
  } finally {
    await release();
  }
}

interface RunStart {
  experiment: Experiment;
  lab: Lab;
  /** The run's folder, made if it is a new one. */
  open(): Promise<RunFolder>;
}

async function newRun(app: AppContext, options: RunOptions): Promise<RunStart> {
  const file = options.file ?? join(app.root, "examples/study/experiment.yaml");
  const { experiment, lab, experimentText, labText } = await readExperimentFile(app, file);
  const time = new Date(app.host.clock.nowMs()).toISOString().slice(0, 19).replaceAll(/[-:]/g, "").replace("T", "-");
  const directory = resolve(app.workingDirectory, options.out ?? `runs/${time}-${experiment.name}`);
  await requireNoFolder(app.host, directory);
  const seed = options.seed ?? experiment.seed ?? app.drawSeed();
  const platforms = options.platforms ?? experiment.platforms;
  const recorded = recordedExperiment(scaleExperiment(experimentText, options.scale), seed, platforms);
  return {
    experiment: { ...experiment, platforms },
    lab,
    open: () => createRunFolder(app.host, directory, { experiment: recorded, lab: labText }),
  };
}

async function resumedRun(app: AppContext, path: string): Promise<RunStart> {
  const folder = await openRunFolder(app.host, resolve(app.workingDirectory, path));
  const { experiment, lab } = await readExperimentFile(app, `${folder.directory}/experiment.yaml`);
  return { experiment, lab, open: async () => folder };
}

/** @throws LabError when trials of this run were measured in another environment */
async function recordEnvironment(app: AppContext, folder: RunFolder, labs: RunLabs): Promise<void> {
  const variants: Record<string, string> = {};
  for (const plan of labs.plans()) {
    const variant = await app.platforms[plan.platform].variant?.(app.host, plan);
    if (variant !== undefined) variants[plan.platform] = variant;
  }
  const environment = await readEnvironment(
    app.host,
    app.version,
    labs.plans(),
    labs.images(),
    process.versions,
    variants,
  );
  const before = await folder.environment();
  const changes = before === null ? [] : environmentChanges(before, environment);
  if (changes.length > 0 && (await folder.trials()).length > 0) {
    throw new LabError(
      `this is not what ${folder.directory} was begun on (${changes.join("; ")}): its figures can't be put together with others`,
      {
        hint: "begin a new run",
        exit: ExitCode.usage,
      },
    );
  }
  if (before === null || changes.length > 0) await folder.saveEnvironment(environment);
}

/** An error that ended a run, and how to go on after it. */
function resumable(error: unknown, { directory }: RunFolder): unknown {
  if (!(error instanceof LabError) || error.hint !== undefined) return error;
  return new LabError(error.message, {
    hint: `what is done is kept: cloison run --resume ${directory} goes on`,
    exit: error.exit,
    cause: error,
  });
}

function alsoLeft(left: string[], cause?: unknown): LabError {
  const because = cause === undefined ? [] : [cause instanceof Error ? cause.message : "it failed"];
  return new LabError([...because, ...left].join("\n"), { hint: "cloison down --all tries again", cause });
}

/** Moves this process, which writes files while trials run, to the CPUs of the station; returns what moves it back. */
async function stayOffThePlatform({ host, pid }: AppContext, station: number[]): Promise<() => Promise<void>> {
  const moveTo = async (cpus: number[]) => {
    await host.processes.must({
      argv: ["taskset", "--all-tasks", "--cpu-list", "--pid", formatCpuList(cpus), `${pid}`],
    });
  };
  await moveTo(station);
  return () => moveTo(host.machine.cpus);
}
