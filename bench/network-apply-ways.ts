import { down } from "../src/app/down.ts";
import { planFor } from "../src/app/prepare.ts";
import { readLabFile } from "../src/app/read-files.ts";
import { requirePlatform } from "../src/app/require-platform.ts";
import { DEFAULT_PARALLEL } from "../src/app/up.ts";
import { bringUp } from "../src/lab/bring-up.ts";
import { labSwitches } from "../src/lab/switches.ts";
import type { LabPlan } from "../src/model/plan.ts";
import { applyNetwork } from "../src/netstate/apply.ts";
import { cloisonApp } from "./cloison-app.ts";
import type { CloisonLab } from "./cloison-lab.ts";
import { seconds, untilKernelIsDone } from "./lab-cycle.ts";
import type { NetworkBed } from "./network-bed.ts";
import { interleave, type Pair } from "./pairs.ts";

/** Something that is brought from nothing to the first of two states, and then to and fro between them. */
interface Way {
  clear(): Promise<void>;
  up(): Promise<void>;
  apply(from: 0 | 1, to: 0 | 1): Promise<void>;
}

/** Seconds of a change beside those of the way up. */
async function timeWay({ host }: NetworkBed, way: Way): Promise<Pair[]> {
  let at: 0 | 1 = 0;
  const change = () => {
    const from = at;
    at = from === 0 ? 1 : 0;
    return seconds(() => way.apply(from, at));
  };
  const up = async () => {
    await way.clear();
    await untilKernelIsDone(host);
    at = 0;
    return seconds(() => way.up());
  };
  const pairs = await interleave(change, up);
  await way.clear();
  return pairs;
}

/** Of one lab before and after: by path for whole commands. */
export type BeforeAndAfter<T> = [before: T, after: T];

export function byCommand(bed: NetworkBed, lab: CloisonLab, files: BeforeAndAfter<string>): Promise<Pair[]> {
  return timeWay(bed, {
    clear: () => lab.down(),
    up: () => lab.up(),
    apply: (_from, to) => lab.apply(files[to]),
  });
}

/** What both files' plans are on this machine. */
export async function plansOf({ host }: NetworkBed, files: BeforeAndAfter<string>): Promise<BeforeAndAfter<LabPlan>> {
  const app = cloisonApp(host);
  await requirePlatform(app, "namespace");
  const plan = async (file: string) => planFor(app, (await readLabFile(app, file)).lab, "namespace");
  return [await plan(files[0]), await plan(files[1])];
}

/** From a plan to the end of all work, without a command's start. Throws when a change is none. */
export async function inProcess(
  bed: NetworkBed,
  plans: BeforeAndAfter<LabPlan>,
): Promise<{ pairs: Pair[]; changes: number }> {
  const app = cloisonApp(bed.host);
  let changes = 0;
  const bring = (plan: LabPlan, changedOnly: boolean) =>
    bringUp(
      app,
      plan,
      {},
      {
        parallel: DEFAULT_PARALLEL,
        changedOnly,
        onStep: (step) => {
          if (step.step === "network") changes = step.changes;
        },
      },
    );
  const pairs = await timeWay(bed, {
    clear: async () => void (await down(app, plans[0].lab)),
    up: () => bring(plans[0], false),
    async apply(_from, to) {
      await bring(plans[to], true);
      if (changes === 0) throw new Error(`nothing was changed in ${plans[to].lab}`);
    },
  });
  return { pairs, changes };
}

/** The kernel's configuration alone, in the lab's namespaces without its programs. */
export function kernelOnly(bed: NetworkBed, plans: BeforeAndAfter<LabPlan>): Promise<Pair[]> {
  const { host } = bed;
  const { paths } = cloisonApp(host);
  const switches = labSwitches(paths, plans[0]);
  const all = Object.keys(plans[0].network);
  bed.atEnd.add(() => host.namespaces.remove(all));
  return timeWay(bed, {
    async clear() {
      await host.namespaces.remove(all);
      await untilKernelIsDone(host);
      await host.namespaces.create(all);
    },
    async up() {
      await applyNetwork(host, plans[0].network, { fresh: all, switches });
    },
    async apply(from, to) {
      const [before, { network }] = [plans[from], plans[to]];
      await applyNetwork(host, network, { from: before.network, switches });
    },
  });
}
