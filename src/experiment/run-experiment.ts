import type { LabContext } from "../lab/context.ts";
import { LabError } from "../model/error.ts";
import type { Experiment } from "../model/experiment.ts";
import type { PlatformName } from "../model/lab.ts";
import type { Calibration, PageCapacity, Trial } from "../model/result.ts";
import type { Engine } from "../model/samples.ts";
import type { ScheduledTrial } from "../schedule/schedule.ts";
import { calibrate } from "./calibrate.ts";
import { dropQueues } from "./drop-queues.ts";
import { loadScale, scaledLoads } from "./load-scale.ts";
import type { NextTrial } from "./next-trial.ts";
import type { RunFolder } from "./run-folder.ts";
import { makeRunLab, mendRunLab, type RunLab } from "./run-lab.ts";
import { runSchedule } from "./run-schedule.ts";
import { createStation, type Station } from "./station.ts";
import { goOn, standStill } from "./standstill.ts";
import { phaseOf, runTrial, type TrialOutcome, type TrialStep } from "./trial.ts";

export interface RunProgress {
  done: number;
  of: number;
  block: number;
  blocks: number;
  platform: PlatformName;
  phase: string;
  attempt: number;
  step: TrialStep;
  elapsedMs: number;
  /** null: not known yet. */
  remainingMs: number | null;
  /** Of the first probe, over the last second. */
  recentP95Ms: number | null;
}

export interface ExperimentRun {
  experiment: Experiment;
  /** The lab of each platform. The caller holds their locks, and removes them at the end. */
  labs: Partial<Record<PlatformName, RunLab>>;
  schedule: ScheduledTrial[];
  folder: RunFolder;
  /** null: clients choose. */
  engine: Engine | null;
  /** What is done before the first trial. */
  onPreparing?: (what: string) => void;
  onProgress?: (progress: RunProgress) => void;
  /** As of `runSchedule`. */
  onTrial?: (trial: Trial) => void;
  /** What the platforms can do has been found out. */
  onCalibrated?: (calibration: Calibration) => void;
  signal?: AbortSignal;
}

/**
 * Makes the labs, finds out what they can do, and runs on them what `runSchedule` says. All labs are there from the beginning
 * to the end, so that every trial has the same company; the domains of one at a time run.
 */
export async function runExperiment(context: LabContext, run: ExperimentRun): Promise<void> {
  const signal = run.signal === undefined ? {} : { signal: run.signal };
  const stations = new Map<PlatformName, Station>();
  try {
    for (const lab of Object.values(run.labs)) {
      run.onPreparing?.(`making lab ${lab.plan.lab}`);
      await makeRunLab(context, lab, signal);
      stations.set(lab.plan.platform, createStation(context, lab.plan, run.engine));
      await standStill(context, lab);
    }
    const calibration = await calibrated(context, run, stations);
    const experiment = scaledLoads(run.experiment, calibration);
    const attempt = attempts(context, { ...run, experiment }, stations, calibration);
    const { schedule, folder, onTrial } = run;
    await runSchedule({ schedule, folder, experiment, attempt, onTrial, ...signal });
  } finally {
    await Promise.all([...stations.values()].map((station) => station.close()));
  }
}

/** What the labs can do: found out once, so that a run that goes on has the loads that it was begun with. */
async function calibrated(
  context: LabContext,
  { experiment, labs, folder, onPreparing, onCalibrated, signal }: ExperimentRun,
  stations: ReadonlyMap<PlatformName, Station>,
): Promise<Calibration> {
  const known = await folder.calibration();
  if (known !== null) return known;
  const pages: PageCapacity[] = [];
  for (const lab of Object.values(labs)) {
    const { plan } = lab;
    onPreparing?.(`finding out what ${plan.platform} can do`);
    await goOn(context, lab);
    const station = stationOf(stations, plan.platform);
    pages.push(
      ...(await calibrate(context.host, { plan, experiment, station, ...(signal === undefined ? {} : { signal }) })),
    );
    await standStill(context, lab);
  }
  const calibration = { ...loadScale(experiment, pages), pages };
  await folder.saveCalibration(calibration);
  onCalibrated?.(calibration);
  return calibration;
}

/** Runs one attempt at a trial after the other. */
function attempts(
  context: LabContext,
  run: ExperimentRun,
  stations: Map<PlatformName, Station>,
  calibration: Calibration,
): (next: NextTrial, earlier: readonly Trial[]) => Promise<TrialOutcome> {
  const { clock } = context.host;
  const signal = run.signal === undefined ? {} : { signal: run.signal };
  const startedMs = clock.monotonicMs();
  let attempted = 0;

  return async ({ scheduled, attempt: number, done }, earlier) => {
    const { platform, phase, block } = scheduled;
    const lab = labOf(run, platform);
    const pages = calibration.pages.filter((page) => page.platform === platform);
    const report = (step: TrialStep, recentP95Ms: number | null) => {
      const elapsedMs = clock.monotonicMs() - startedMs;
      run.onProgress?.({
        done,
        of: run.schedule.length,
        block,
        blocks: run.experiment.blocks,
        platform,
        phase,
        attempt: number,
        step,
        elapsedMs,
        remainingMs: attempted === 0 ? null : (elapsedMs / attempted) * (run.schedule.length - done),
        recentP95Ms,
      });
    };
    report("making the lab ready", null);
    for (const other of Object.values(run.labs)) if (other !== lab) await standStill(context, other);
    if (!(await mended(context, lab, stations, signal))) {
      await makeRunLab(context, lab, signal);
      stations.set(platform, createStation(context, lab.plan, run.engine));
    }
    const outcome = await runTrial(context, {
      ...lab,
      experiment: run.experiment,
      scheduled,
      attempt: number,
      station: stationOf(stations, platform),
      pages,
      earlier,
      ...signal,
      onStep: report,
    });
    if (outcome.broken) await abandon(stations, platform);
    else {
      // What was measured is kept: the lab is made anew.
      await dropQueues(context, lab, phaseOf(run.experiment, phase), pages).catch(async (error: unknown) => {
        if (!(error instanceof LabError)) throw error;
        await abandon(stations, platform);
      });
    }
    attempted += 1;
    return outcome;
  };
}

function stationOf(stations: ReadonlyMap<PlatformName, Station>, platform: PlatformName): Station {
  const station = stations.get(platform);
  if (station === undefined) throw new Error(`${platform} has no station`);
  return station;
}

function labOf({ labs }: ExperimentRun, platform: PlatformName): RunLab {
  const lab = labs[platform];
  if (lab === undefined) throw new Error(`no lab was planned for ${platform}`);
  return lab;
}

/**
 * Makes domains again that the trial before brought down. False where that fails, or where the trial before broke off:
 * then nothing is known of what it left, and the whole lab is to be made anew.
 */
async function mended(
  context: LabContext,
  lab: RunLab,
  stations: Map<PlatformName, Station>,
  options: { signal?: AbortSignal },
): Promise<boolean> {
  const { platform } = lab.plan;
  if (!stations.has(platform)) return false;
  try {
    await goOn(context, lab);
    await mendRunLab(context, lab, options);
    return true;
  } catch (error) {
    options.signal?.throwIfAborted();
    // A reason to try it from nothing; what fails then ends the run, and is told.
    if (!(error instanceof LabError)) throw error;
    await abandon(stations, platform);
    return false;
  }
}

/** The station's clients live in the lab, so they go with it. */
async function abandon(stations: Map<PlatformName, Station>, platform: PlatformName): Promise<void> {
  const station = stations.get(platform);
  stations.delete(platform);
  await station?.close();
}
