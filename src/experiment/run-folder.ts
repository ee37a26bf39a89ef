import type { Host } from "../host/host.ts";
import { ExitCode, LabError } from "../model/error.ts";
import { trialSchema, type Calibration, type Environment, type Result, type Trial } from "../model/result.ts";
import type { Samples } from "../model/samples.ts";
import { writeSamples } from "../samples/write-samples.ts";

/** One reading's requests, under the name that the samples file gives them. */
export interface NamedSamples {
  reading: string;
  samples: Samples;
}

/**
 * The folder of one run. A trial counts as done once its line is in trials.jsonl, which is written after its samples: a
 * crash loses at most the trial in progress.
 */
export interface RunFolder {
  directory: string;
  saveEnvironment(environment: Environment): Promise<void>;
  saveCalibration(calibration: Calibration): Promise<void>;
  saveTrial(trial: Trial, samples: NamedSamples[]): Promise<void>;
  /** Records that a trial was found invalid after the fact. */
  saveJudgement(trial: Trial): Promise<void>;
  saveResult(result: Result): Promise<void>;
  trials(): Promise<Trial[]>;
  environment(): Promise<Environment | null>;
  calibration(): Promise<Calibration | null>;
}

/** @throws LabError when something is there already */
export async function requireNoFolder(host: Pick<Host, "files">, directory: string): Promise<void> {
  if (!(await host.files.exists(directory))) return;
  throw new LabError(`${directory} is there already`, {
    hint: "name another folder with --out, or go on with --resume",
    exit: ExitCode.usage,
  });
}

/** Makes a new run folder. Whoever finds it finds all that a run can be resumed from. @throws LabError when something is there already */
export async function createRunFolder(
  host: Pick<Host, "files">,
  directory: string,
  files: { experiment: string; lab: string },
): Promise<RunFolder> {
  await requireNoFolder(host, directory);
  const beside = `${directory}.new`;
  await host.files.remove(beside);
  await host.files.makeDirectory(`${beside}/samples`);
  await host.files.replaceText(`${beside}/lab.yaml`, files.lab);
  await host.files.replaceText(`${beside}/experiment.yaml`, files.experiment);
  await host.files.rename(beside, directory);
  return openRunFolder(host, directory);
}

/** Opens a run folder that is there. */
export async function openRunFolder(host: Pick<Host, "files">, directory: string): Promise<RunFolder> {
  if (!(await host.files.exists(`${directory}/experiment.yaml`))) {
    throw new LabError(`${directory} is not the folder of a run`, { exit: ExitCode.usage });
  }
  const trialsFile = `${directory}/trials.jsonl`;
  return {
    directory,
    saveEnvironment: (environment) => host.files.replaceText(`${directory}/environment.json`, json(environment)),
    saveCalibration: (calibration) => host.files.replaceText(`${directory}/calibration.json`, json(calibration)),
    async saveTrial(trial, samples) {
      await kept(directory, async () => {
        await writeSamples(`${directory}/samples/${trial.id}.parquet`, samples);
        await host.files.appendSynced(trialsFile, line(trial));
      });
    },
    saveJudgement: (trial) => kept(directory, () => host.files.appendSynced(trialsFile, line(trial))),
    saveResult: (result) => host.files.replaceText(`${directory}/result.json`, json(result)),
    async trials() {
      const text = (await host.files.readTextIfExists(trialsFile)) ?? "";
      const trials = text.split("\n").flatMap((one, i) => trialOf(one, `${trialsFile}:${i + 1}`) ?? []);
      // A later line about the same trial is a later judgement.
      return [...new Map(trials.map((trial) => [trial.id, trial])).values()];
    },
    async environment() {
      const text = await host.files.readTextIfExists(`${directory}/environment.json`);
      if (text === null) return null;
      // One of before there was such a thing has none.
      const { variants = {}, ...stored } = JSON.parse(text) as Omit<Environment, "variants"> & Partial<Environment>;
      return { ...stored, variants };
    },
    async calibration() {
      const text = await host.files.readTextIfExists(`${directory}/calibration.json`);
      return text === null ? null : (JSON.parse(text) as Calibration);
    },
  };
}

/** The line break before it ends a line that a crash or a full disk cut short. */
function line(trial: Trial): string {
  return `\n${JSON.stringify(trial)}\n`;
}

/** null: an empty line, or one that was cut short: that trial was not done yet. @throws LabError for another program's */
function trialOf(text: string, where: string): Trial | null {
  if (text === "") return null;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    // One JSON object a line: what is missing its end is no JSON.
    if (error instanceof SyntaxError) return null;
    throw error;
  }
  const parsed = trialSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new LabError(`${where} is not a trial of this version of Cloison: ${parsed.error.issues[0]?.message}`, {
    hint: "use the version that began the run (environment.json names it)",
    exit: ExitCode.usage,
  });
}

/** @throws LabError that says what of the run is safe, when the folder can't be written to */
async function kept(directory: string, write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new LabError(`the trial that has just ended could not be saved: ${why}`, {
      hint: `the trials before it are kept; see to ${directory}, then go on with --resume ${directory}`,
      cause: error,
    });
  }
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
