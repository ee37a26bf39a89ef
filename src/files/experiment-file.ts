import { experimentSchema, type Experiment } from "../model/experiment.ts";
import { experimentIssues } from "../model/experiment-rules.ts";
import type { Lab } from "../model/lab.ts";
import { parseFile } from "./parse.ts";

/**
 * Reads an experiment file; its lab is asked for once it is known which.
 * @param labOf reads the lab file that the experiment names
 * @throws FileError with every problem at its line and column
 */
export async function parseExperiment(
  name: string,
  text: string,
  labOf: (path: string) => Promise<Lab>,
): Promise<{ experiment: Experiment; lab: Lab }> {
  const file = parseFile(name, text, experimentSchema);
  const lab = await labOf(file.value.lab);
  file.refuse(experimentIssues(file.value, lab));
  return { experiment: file.value, lab };
}
