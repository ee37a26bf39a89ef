import type { Clock } from "../../host/host.ts";
import { requireStoredLab } from "../../lab/context.ts";
import { forgetShownFence, readShownFence, recordShownFence, type Fence, type ShownFence } from "../../lab/fences.ts";
import { labsMoved, readMoves } from "../../lab/moves.ts";
import { ExitCode, LabError } from "../../model/error.ts";
import { sightHost, type Sight } from "../../remote/sight.ts";
import type { AppContext } from "../context.ts";
import { requireRoot } from "../packages.ts";
import { runFence } from "./fence.ts";

const POLL_MS = 2000;
/** Until it is no more heard of. */
const ENDING_MS = 120_000;
/** Until it is back; somebody may have to press its button. */
const BACK_MS = 15 * 60_000;

export interface RehearseOptions {
  signal?: AbortSignal | undefined;
  onProgress?: (text: string) => void;
}

/**
 * Ends another host by a fence command, and sees that it was the host that ended: it comes back out of another life. That is
 * recorded, and lets `watch --failover` trust this command for this host.
 */
export async function rehearseFence(
  app: AppContext,
  lab: string,
  fence: Fence,
  { signal, onProgress = () => undefined }: RehearseOptions = {},
): Promise<ShownFence> {
  requireRoot(app, "fence-test");
  await requireStoredLab(app, lab);
  await requireNobodyThere(app, fence.host);
  await showEnding(app.host.clock, fence, {
    sight: () => sightHost(app.host, fence.host, signal),
    // What it did before says nothing once it fails.
    run: async () => {
      await forgetShownFence(app, fence);
      await runFence(app, lab, fence, signal);
    },
    onProgress,
    signal,
  });
  const shown = { ...fence, shownAt: new Date(app.host.clock.nowMs()).toISOString() };
  await recordShownFence(app, shown);
  return shown;
}

/** @throws LabError when it was not shown that the command ends the host */
export async function showEnding(
  clock: Clock,
  { host: address }: Pick<Fence, "host">,
  {
    sight,
    run,
    onProgress,
    signal,
  }: {
    sight: () => Promise<Sight>;
    run: () => Promise<void>;
    onProgress: (text: string) => void;
    signal?: AbortSignal | undefined;
  },
): Promise<void> {
  const before = await sight();
  if (before.is !== "there") {
    const why = before.is === "silent" ? "it does not answer" : before.detail;
    throw new LabError(`${address} cannot be seen to end: ${why}`, {
      hint: `ssh to it must work without a question; cloison check --host ${address}`,
      exit: ExitCode.unavailable,
    });
  }
  onProgress("the fence command runs");
  await run();
  onProgress(`waiting until ${address} is back; start it if the command does not`);
  const begunMs = clock.monotonicMs();
  let wasAway = false;
  for (;;) {
    const now = await sight();
    if (now.is === "there" && now.life !== before.life) return;
    const tookMs = clock.monotonicMs() - begunMs;
    if (now.is === "there" && wasAway) {
      throw notShown(`${address} was away and is back as it was: it was cut off, not ended, and what ran there ran on`);
    }
    if (now.is === "there" && tookMs >= ENDING_MS) {
      throw notShown(`the fence command said that it was done, and ${address} still answers as before`);
    }
    if (tookMs >= BACK_MS) throw notShown(`${address} is not back after ${BACK_MS / 60_000} minutes`);
    if (now.is === "silent") wasAway = true;
    await clock.sleep(POLL_MS, signal);
  }
}

const notShown = (message: string) =>
  new LabError(`${message}\nthat the command fences was not shown`, { exit: ExitCode.negative });

/** @throws LabError when a domain would end with the host */
async function requireNobodyThere(app: AppContext, address: string): Promise<void> {
  for (const lab of await labsMoved(app)) {
    const there = Object.values(await readMoves(app, lab)).find(
      ({ host, phase }) => host === address && phase !== "lost",
    );
    if (there === undefined) continue;
    throw new LabError(`domain ${there.domain.name} of lab ${lab} is on ${address}, and would end with it`, {
      hint: "rehearse before domains are moved there",
      exit: ExitCode.usage,
    });
  }
}

/** @throws LabError that says how to show it */
export async function requireShown(app: AppContext, lab: string, fence: Fence): Promise<ShownFence> {
  const shown = await readShownFence(app, fence);
  if (shown !== null) return shown;
  throw new LabError(`that this fence command ends ${fence.host} was never shown`, {
    hint: howToShow(lab, fence),
    exit: ExitCode.usage,
  });
}

/** It ends the host. */
export const howToShow = (lab: string, { host, command }: Fence) =>
  `cloison fence-test ${lab} ${host} --fence '${command.replaceAll("'", `'\\''`)}' shows it, once nothing of a lab is there`;
