import type { Issue } from "./issue.ts";
import type { Lab } from "./lab.ts";
import { addressIssues } from "./rules/addresses.ts";
import { cpuIssues } from "./rules/cpus.ts";
import { forwardIssues } from "./rules/forwards.ts";
import { macIssues } from "./rules/macs.ts";
import { modeIssues } from "./rules/modes.ts";
import { mtuIssues } from "./rules/mtus.ts";
import { nameIssues } from "./rules/names.ts";
import { referenceIssues } from "./rules/references.ts";
import { routeIssues } from "./rules/routes.ts";
import { subnetIssues } from "./rules/subnets.ts";
import { uplinkIssues } from "./rules/uplinks.ts";

/** What a schema can't say: every name refers to something, addresses fit. All problems at once. */
export function labIssues(lab: Lab): Issue[] {
  return [
    referenceIssues,
    modeIssues,
    subnetIssues,
    addressIssues,
    macIssues,
    mtuIssues,
    forwardIssues,
    routeIssues,
    nameIssues,
    cpuIssues,
    uplinkIssues,
  ].flatMap((rule) => rule(lab));
}
