import { dirname, relative, resolve } from "node:path";
import { parseExperiment } from "../files/experiment-file.ts";
import { parseLab } from "../files/lab-file.ts";
import { listNamedImages } from "../images/named-images.ts";
import type { LabSource } from "../lab/context.ts";
import { imageStore } from "../lab/paths.ts";
import { ExitCode, LabError } from "../model/error.ts";
import type { Experiment } from "../model/experiment.ts";
import type { Lab } from "../model/lab.ts";
import type { AppContext } from "./context.ts";

export async function readText(app: AppContext, path: string): Promise<string> {
  const absolute = resolve(app.workingDirectory, path);
  if ((await app.host.files.kind(absolute)) === "directory") {
    throw new LabError(`${path} is a directory, not a file`, { exit: ExitCode.usage });
  }
  const text = await app.host.files.readTextIfExists(absolute);
  if (text === null) throw new LabError(`there is no file ${path}`, { exit: ExitCode.usage });
  return text;
}

/** @param path as the user wrote it */
export async function readLabFile(app: AppContext, path: string): Promise<{ lab: Lab } & LabSource> {
  const text = await readText(app, path);
  const made = await listNamedImages(app.host, imageStore(app.paths), "damaged");
  const lab = parseLab(path, text, made);
  const named = new Set(Object.values(lab.domains).map(({ image }) => image));
  return { lab, text, images: Object.fromEntries(Object.entries(made).filter(([name]) => named.has(name))) };
}

export interface ExperimentFiles {
  experiment: Experiment;
  lab: Lab;
  experimentText: string;
  labText: string;
}

/** Reads an experiment and the lab that it names. */
export async function readExperimentFile(app: AppContext, path: string): Promise<ExperimentFiles> {
  const experimentText = await readText(app, path);
  let labText = "";
  const { experiment, lab } = await parseExperiment(path, experimentText, async (labPath) => {
    const shown = relative(app.workingDirectory, resolve(app.workingDirectory, dirname(path), labPath));
    const file = await readLabFile(app, shown);
    labText = file.text;
    return file.lab;
  });
  return { experiment, lab, experimentText, labText };
}
