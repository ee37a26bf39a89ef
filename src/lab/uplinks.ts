import type { LabPlan } from "../model/plan.ts";
import { checkUplink } from "../uplink/check-uplink.ts";
import { confirmUplink, type Confirmation } from "../uplink/confirm-uplink.ts";
import { joinUplink } from "../uplink/join-uplink.ts";
import { leaveUplink } from "../uplink/leave-uplink.ts";
import { planUplink } from "../uplink/plan-uplink.ts";
import { readRecord, type UplinkFiles } from "../uplink/uplink-record.ts";
import { workspaceOf, type LabContext } from "./context.ts";
import { labDirectory, uplinkCgroup, uplinkFile, uplinkLock } from "./paths.ts";

function filesOf({ paths }: LabContext, lab: string, lan: number): UplinkFiles {
  return {
    record: uplinkFile(paths, lab, lan),
    lock: uplinkLock(paths, lab, lan),
    cgroup: uplinkCgroup(lab, lan),
  };
}

/** Joins the real interfaces that the plan names, one after the other; yields those that were not joined before. */
export async function* joinLabUplinks(
  context: LabContext,
  plan: LabPlan,
  confirmWithinMs: number | null,
): AsyncGenerator<{ lan: number; interface: string }> {
  for (const uplink of plan.uplinks) {
    const { lan } = uplink;
    const isNew = await joinUplink(context.host, planUplink(plan, lan, uplink.interface), {
      files: filesOf(context, plan.lab, lan),
      recordUndo: () => workspaceOf(context, plan.lab).record([{ kind: "uplink", lan }]),
      confirmWithinMs,
    });
    if (isNew) yield uplink;
  }
}

/** @throws LabError saying why a real interface that the plan names, and that has not joined yet, may not */
export async function checkLabUplinks(context: LabContext, plan: LabPlan): Promise<void> {
  for (const { lan, interface: card } of plan.uplinks) {
    if ((await readRecord(context.host, filesOf(context, plan.lab, lan))) !== null) continue;
    await checkUplink(context.host, planUplink(plan, lan, card), false);
  }
}

/** Puts back those that have joined and that the plan does not name. */
export async function leaveUnwantedUplinks(context: LabContext, plan: LabPlan): Promise<void> {
  const wanted = new Set(plan.uplinks.map(({ lan }) => lan));
  for (const lan of await joinedUplinks(context, plan.lab)) {
    if (!wanted.has(lan)) await leaveLabUplink(context, plan.lab, lan);
  }
}

/** Puts a real interface back as it was, whatever state a crash left it in. Idempotent. */
export async function leaveLabUplink(context: LabContext, lab: string, lan: number): Promise<void> {
  await leaveUplink(context.host, filesOf(context, lab, lan));
}

/** Confirms all uplinks of a lab; those that were put back at their deadline are among the answers. */
export async function confirmLabUplinks(context: LabContext, lab: string): Promise<Confirmation[]> {
  const answers: Confirmation[] = [];
  for (const lan of await joinedUplinks(context, lab)) {
    const answer = await confirmUplink(context.host, filesOf(context, lab, lan));
    if (answer !== null) answers.push(answer);
  }
  return answers;
}

/** Positions of the networks that a real interface has joined, was about to, or was in. */
async function joinedUplinks({ host, paths }: LabContext, lab: string): Promise<number[]> {
  const lans = (await host.files.list(labDirectory(paths, lab))).flatMap((name) => {
    const lan = /^uplink-(\d+)\.json/.exec(name)?.[1];
    return lan === undefined ? [] : [Number(lan)];
  });
  return [...new Set(lans)];
}
