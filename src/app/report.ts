import { resolve } from "node:path";
import { openRunFolder, type RunFolder } from "../experiment/run-folder.ts";
import { parseExperiment } from "../files/experiment-file.ts";
import { ExitCode, LabError } from "../model/error.ts";
import type { Experiment } from "../model/experiment.ts";
import type { Result } from "../model/result.ts";
import { STUDY_2009 } from "../report/data/study-2009.ts";
import { renderCsv } from "../report/csv.ts";
import { renderHtml } from "../report/html-report.ts";
import { renderTerminalTable } from "../report/terminal.ts";
import { probeEcdfs } from "../samples/query.ts";
import { schedule } from "../schedule/schedule.ts";
import type { AppContext } from "./context.ts";
import { readLabFile } from "./read-files.ts";
import { buildResult } from "./result.ts";

/** A run that has been reported on. */
export interface Reported {
  directory: string;
  result: Result;
  /** What a terminal shows. */
  text(options: Parameters<typeof renderTerminalTable>[1]): string;
}

/** Makes result.json, report.html and table.csv of a run folder anew from its trials and samples. */
export async function report(app: AppContext, folderPath: string): Promise<Reported> {
  const folder = await openRunFolder(app.host, resolve(app.workingDirectory, folderPath));
  return reportRun(app, folder, await readRunExperiment(app, folder));
}

/** The experiment as a run folder records it. */
export async function readRunExperiment(app: AppContext, { directory }: RunFolder): Promise<Experiment> {
  const file = `${directory}/experiment.yaml`;
  const text = await app.host.files.readText(file);
  const { experiment } = await parseExperiment(
    file,
    text,
    async (path) => (await readLabFile(app, `${directory}/${path}`)).lab,
  );
  return experiment;
}

export async function reportRun(app: AppContext, folder: RunFolder, experiment: Experiment): Promise<Reported> {
  const environment = await folder.environment();
  if (environment === null || experiment.seed === undefined) {
    throw new LabError(`${folder.directory} has no trial yet`, {
      hint: `cloison run --resume ${folder.directory}`,
      exit: ExitCode.usage,
    });
  }
  const trials = await folder.trials();
  const facts = { environment, calibration: await folder.calibration() };
  const result = buildResult(experiment, experiment.seed, facts, trials, schedule(experiment, experiment.seed));
  await folder.saveResult(result);
  const ecdfs = await probeEcdfs(folder.directory, trials);
  await app.host.files.replaceText(`${folder.directory}/report.html`, renderHtml(result, ecdfs, STUDY_2009));
  await app.host.files.replaceText(`${folder.directory}/table.csv`, renderCsv(result));
  return {
    directory: folder.directory,
    result,
    text: (options) => `${renderTerminalTable(result, options)}\nreport: ${folder.directory}/report.html`,
  };
}
