import { labNames } from "../lab/inventory.ts";
import { removeLeftLocks, withLabLock } from "../lab/lab-lock.ts";
import { forgetMoves, labsMoved, OWN, readMoves } from "../lab/moves.ts";
import { tearDown } from "../lab/teardown.ts";
import { labsUnpacked, removeUnpacked } from "../lab/unpacked.ts";
import { removeTrials } from "../lab/trials.ts";
import { ExitCode, LabError } from "../model/error.ts";
import type { AppContext } from "./context.ts";
import { requireRoot } from "./packages.ts";

/** What `down` did to one lab. */
export interface DownResult {
  lab: string;
  outcome: "removed" | "not there" | "in use" | "failed";
  message?: string;
}

/** Whoever holds a lab may be at its end. */
const WAIT_MS = 2000;

/** A lab's name, from its name or from its file. */
export async function labNameOf(app: AppContext, nameOrFile: string): Promise<string> {
  if (!/[./]/.test(nameOrFile)) return nameOrFile;
  // A name needs no schemas, which take longer to load than a small lab to remove.
  const { readLabFile } = await import("./read-files.ts");
  return (await readLabFile(app, nameOrFile)).lab.name;
}

/** Removes one lab, wholly. One that is not there is fine. */
export async function down(app: AppContext, nameOrFile: string): Promise<DownResult> {
  requireRoot(app, "down");
  return removeLab(app, await labNameOf(app, nameOrFile), WAIT_MS);
}

async function removeLab(app: AppContext, lab: string, waitMs: number): Promise<DownResult> {
  const isThere = async () => (await namesOf(app)).includes(lab);
  if (!(await isThere())) return { lab, outcome: "not there" };
  return withLabLock(app.host, app.paths, lab, waitMs, async () => {
    // Whoever had it may have removed it.
    if (!(await isThere())) return { lab, outcome: "not there" };
    const left = await removeElsewhere(app, lab);
    await tearDown(app, lab);
    await removeUnpacked(app, lab);
    if (left !== null) throw left;
    await forgetMoves(app, lab);
    return { lab, outcome: "removed" };
  });
}

/** Labs of which something is here, or at another host. */
async function namesOf(app: AppContext): Promise<string[]> {
  return [...new Set([...(await labNames(app)), ...(await labsMoved(app)), ...(await labsUnpacked(app))])];
}

/** Removes what hosts have of a lab to which domains were moved. @returns why it was not all removed; it is known still */
async function removeElsewhere(app: AppContext, lab: string): Promise<LabError | null> {
  const hosts = new Set(Object.values(await readMoves(app, lab)).flatMap(({ from, to }) => [from, to]));
  hosts.delete(OWN);
  const failures: LabError[] = [];
  for (const address of hosts) {
    try {
      const { reachEnd } = await import("./move/end.ts");
      await (await reachEnd(app, address)).ask("down", lab, {});
    } catch (error) {
      if (!(error instanceof LabError)) throw error;
      failures.push(error);
    }
  }
  if (failures.length === 0) return null;
  return new LabError(
    `lab ${lab} is removed here, but not elsewhere: ${failures.map(({ message }) => message).join("; ")}`,
    {
      hint: `cloison down ${lab} once more, when the host can be reached`,
      exit: ExitCode.unavailable,
    },
  );
}

/** Removes every lab of the machine, but none that another command holds; and what trials have left. */
export async function downAll(app: AppContext): Promise<DownResult[]> {
  requireRoot(app, "down");
  const results: DownResult[] = [];
  for (const lab of await namesOf(app)) results.push(await settled(lab, () => removeLab(app, lab, 0)));
  const trials = await settled("trials", async () => ({
    lab: "trials",
    outcome: (await removeTrials(app)) ? "removed" : "not there",
  }));
  // A trial that is under way is nobody's lab.
  if (trials.outcome === "removed" || trials.outcome === "failed") results.push(trials);
  await removeLeftLocks(app.host, app.paths);
  // A trial that was killed while it made its first namespace has left what all are made in, and no name.
  await app.host.namespaces.remove([]);
  return results;
}

/** One lab that cannot be removed is no reason to leave the others. */
async function settled(lab: string, work: () => Promise<DownResult>): Promise<DownResult> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof LabError)) throw error;
    return { lab, outcome: error.exit === ExitCode.busy ? "in use" : "failed", message: error.message };
  }
}
