import { NAME_PATTERN } from "../model/name-pattern.ts";
import type { LabContext } from "./context.ts";
import { labsDirectory } from "./paths.ts";

/**
 * Begins the names of what is made for a moment, to find out whether it works here. No lab file can have such a name; platforms
 * and checks follow it.
 */
const TRIAL = /^_check[a-z0-9-]*$/;

/** Names of all labs of which anything exists: a folder, a namespace, a control group. Ascending. */
export async function labNames(context: LabContext): Promise<string[]> {
  return (await namesInUse(context)).filter((name) => NAME_PATTERN.test(name));
}

/** Names of all trials of which anything exists: under way, or left by a crash. Ascending. */
export async function trialNames(context: LabContext): Promise<string[]> {
  const directories = await context.host.files.list(context.paths.run);
  const names = new Set([...(await namesInUse(context)), ...directories]);
  return [...names].filter((name) => TRIAL.test(name)).sort();
}

async function namesInUse({ host, paths }: LabContext): Promise<string[]> {
  const names = new Set(await host.files.list(labsDirectory(paths)));
  for (const namespace of await host.namespaces.list()) {
    const [cloison, lab] = namespace.split(".");
    if (cloison === "cloison" && lab !== undefined) names.add(lab);
  }
  for (const group of await host.cgroups.children("cloison")) names.add(group);
  return [...names].sort();
}
