import { ExitCode, LabError } from "../model/error.ts";
import type { DomainPlan } from "../model/plan.ts";
import { readStoredLab, requireStoredLab, workspaceOf, type LabContext, type StoredLab } from "./context.ts";
import { labNames } from "./inventory.ts";
import { withLabLock } from "./lab-lock.ts";
import { RestartDelay } from "./restart-delay.ts";
import { startDomain } from "./start-domain.ts";

const POLL_MS = 1000;

/** What a watch has seen or done. */
export type WatchEvent =
  | { event: "watching"; domains: string[] }
  | { event: "died"; domain: string; detail: string | null; restartInMs: number }
  | { event: "restarted"; domain: string; tookMs: number }
  | { event: "failed"; domain: string; detail: string; restartInMs: number }
  | { event: "gone" };

/** A domain that was seen dead, and when it is to be started again. */
interface Patient {
  delay: RestartDelay;
  dueMs: number | null;
}

/**
 * Starts a lab's domains again whose processes or guests have died, on their disks as these are, until the signal or the lab's
 * end. Whom their user has shut down stay so. While another command holds the lab nothing is done.
 */
export async function watchLab(
  context: LabContext,
  lab: string,
  { signal, onEvent }: { signal: AbortSignal; onEvent: (event: WatchEvent) => void },
): Promise<void> {
  const { clock } = context.host;
  const patients = new Map<string, Patient>();
  const { plan } = await requireStoredLab(context, lab);
  onEvent({ event: "watching", domains: plan.domains.map(({ name }) => name) });
  while (!signal.aborted) {
    if (!(await labNames(context)).includes(lab)) return onEvent({ event: "gone" });
    const deaths = await deathsNow(context, lab);
    for (const [name, patient] of patients) {
      // Somebody else has started it.
      if (deaths?.every(({ domain }) => domain.name !== name) === true) patient.dueMs = null;
    }
    for (const { domain, detail } of deaths ?? []) {
      const patient = patients.get(domain.name) ?? { delay: new RestartDelay(), dueMs: null };
      patients.set(domain.name, patient);
      const nowMs = clock.monotonicMs();
      if (patient.dueMs === null) {
        const restartInMs = patient.delay.died(nowMs);
        patient.dueMs = nowMs + restartInMs;
        onEvent({ event: "died", domain: domain.name, detail, restartInMs });
      } else if (nowMs >= patient.dueMs && !signal.aborted) await treat(context, lab, domain.name, patient, onEvent);
    }
    await clock.sleep(POLL_MS, signal).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }
}

async function treat(
  context: LabContext,
  lab: string,
  name: string,
  patient: Patient,
  onEvent: (event: WatchEvent) => void,
): Promise<void> {
  const { clock } = context.host;
  const beganMs = clock.monotonicMs();
  try {
    const restarted = await withLabLock(context.host, context.paths, lab, 0, () => restart(context, lab, name));
    patient.dueMs = null;
    patient.delay.started(clock.monotonicMs());
    if (restarted) onEvent({ event: "restarted", domain: name, tookMs: Math.round(clock.monotonicMs() - beganMs) });
  } catch (error) {
    if (!(error instanceof LabError)) throw error;
    // Whoever has the lab may be mending it.
    if (error.exit === ExitCode.busy) return;
    const restartInMs = patient.delay.died(clock.monotonicMs());
    patient.dueMs = clock.monotonicMs() + restartInMs;
    onEvent({ event: "failed", domain: name, detail: error.message, restartInMs });
  }
}

/** The caller holds the lab's lock. @returns false: it was no longer dead */
async function restart(context: LabContext, lab: string, name: string): Promise<boolean> {
  const stored = await readStoredLab(context, lab);
  const death =
    stored === null ? undefined : (await deathsIn(context, stored)).find(({ domain }) => domain.name === name);
  if (stored === null || death === undefined) return false;
  await startDomain(context, stored, death.domain);
  return true;
}

interface Death {
  domain: DomainPlan;
  detail: string | null;
}

/** null: another command has the lab, and may be what ended them. */
async function deathsNow(context: LabContext, lab: string): Promise<Death[] | null> {
  const look = async () => {
    // Before it is complete nobody has died.
    const stored = await readStoredLab(context, lab);
    return stored === null ? [] : deathsIn(context, stored);
  };
  if ((await look()).length === 0) return [];
  try {
    return await withLabLock(context.host, context.paths, lab, 0, look);
  } catch (error) {
    if (error instanceof LabError && error.exit === ExitCode.busy) return null;
    throw error;
  }
}

async function deathsIn(context: LabContext, { plan, roots, unsettled }: StoredLab): Promise<Death[]> {
  const workspace = workspaceOf(context, plan.lab, roots);
  const states = await context.platforms[plan.platform].list(context.host, workspace, plan);
  return states.flatMap(({ name, state, detail = null, shutDown = false }) => {
    const domain = plan.domains.find((one) => one.name === name);
    const isDead = state === "stopped" && !shutDown && unsettled?.includes(name) !== true;
    return domain !== undefined && isDead ? [{ domain, detail }] : [];
  });
}
