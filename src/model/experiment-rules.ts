import type { Experiment } from "./experiment.ts";
import type { Issue } from "./issue.ts";
import type { Lab } from "./lab.ts";
import { domainNames } from "./domain-names.ts";

/** What the schema of an experiment can't say: its names are in its lab. All problems at once. */
export function experimentIssues(experiment: Experiment, lab: Lab): Issue[] {
  const issues: Issue[] = [];
  const domains = new Map(domainNames(lab).map(({ name, domain }) => [name, domain]));
  const target = (name: string, path: Issue["path"], needsSite: boolean) => {
    const domain = domains.get(name);
    if (domain === undefined) {
      issues.push({ path, message: `${name} is not a domain of the lab (${[...domains.keys()].join(", ")})` });
    } else if (needsSite && domain.sites.length === 0)
      issues.push({ path, message: `${name} has no site to send requests to` });
  };
  experiment.probes.forEach((probe, i) => {
    target(probe.target, ["probes", i, "target"], probe.probe === "http" || probe.probe === "transfer");
    const twin = experiment.probes.findIndex((one) => one.probe === probe.probe && one.target === probe.target);
    if (twin < i) issues.push({ path: ["probes", i], message: `is a second ${probe.probe} probe of ${probe.target}` });
  });
  if (!experiment.probes.some((probe) => probe.probe === "http")) {
    issues.push({ path: ["probes"], message: "has no http probe, and every verdict rests on one" });
  }
  const reference = experiment.phases[experiment.reference];
  if (reference === undefined) {
    issues.push({
      path: ["reference"],
      message: `${experiment.reference} is not among the phases (${Object.keys(experiment.phases).join(", ")})`,
    });
  } else if (reference.floods.length + reference.stressors.length > 0) {
    issues.push({ path: ["phases", experiment.reference], message: "is the reference, and so must have no load" });
  }
  for (const [name, phase] of Object.entries(experiment.phases)) {
    phase.floods.forEach((flood, i) => target(flood.on, ["phases", name, "floods", i, "on"], true));
    phase.stressors.forEach((load, i) =>
      load.on.forEach((on, j) => target(on, ["phases", name, "stressors", i, "on", j], false)),
    );
  }
  const { abnormal, unacceptable } = experiment.thresholds;
  if (abnormal >= unacceptable) issues.push({ path: ["thresholds"], message: "abnormal must be below unacceptable" });
  if (new Set(experiment.platforms).size < experiment.platforms.length)
    issues.push({ path: ["platforms"], message: "names a platform twice" });
  return issues;
}
