import type { Clock } from "../../host/host.ts";
import { ExitCode, LabError } from "../../model/error.ts";
import { parseHostAddress } from "../../model/host-address.ts";
import type { Fence } from "../../lab/fences.ts";
import type { AppContext } from "../context.ts";
import type { Look } from "./look.ts";

/** Management cards are slow. */
const COMMAND_MS = 120_000;
/** A machine is slow to go down, and may be asked for in vain meanwhile. */
const ENDING_MS = 120_000;
/** Nothing may have been heard of it for so long. */
const SILENCE_MS = 15_000;
const POLL_MS = 2000;

/** How a host was seen to have ended. `anew`: it answers already, out of another life. */
export type Ending = "silent" | "anew";

/** That a host could not be ended, or was not seen to have ended. */
export class FenceFailed extends LabError {}
/** And that the command had said that it was done. */
export class FenceLied extends FenceFailed {}

/** Runs a fence command. @throws FenceFailed when it does not end with 0 */
export async function runFence(
  app: AppContext,
  lab: string,
  { host: address, command }: Fence,
  signal?: AbortSignal,
): Promise<void> {
  const { code, stderr, timedOut } = await app.host.processes.run({
    argv: ["sh", "-c", command],
    env: {
      CLOISON_FENCE_LAB: lab,
      CLOISON_FENCE_ADDRESS: address,
      CLOISON_FENCE_HOST: parseHostAddress(address)?.name ?? address,
    },
    stdin: "",
    timeoutMs: COMMAND_MS,
    ...(signal === undefined ? {} : { signal }),
  });
  if (code === 0) return;
  const last = stderr.trim().split("\n").at(-1) ?? "";
  const how = timedOut ? `took longer than ${COMMAND_MS / 1000} s` : `ended with ${code ?? "a signal"}`;
  throw new FenceFailed(`the fence command ${how}${last === "" ? "" : `: ${last}`}`);
}

/**
 * Ends a host, and sees that it has ended: neither ssh nor the wire hears of it for a while; or it has begun another life.
 * @param life in which it was last seen; null: it was not
 * @throws FenceLied when the command is done, and the host is not seen to have ended
 */
export async function endHost(
  clock: Clock,
  life: string | null,
  { fence, look, signal }: { fence: () => Promise<void>; look: () => Promise<Look>; signal?: AbortSignal },
): Promise<Ending> {
  await fence();
  const deadlineMs = clock.monotonicMs() + ENDING_MS;
  let silentSinceMs: number | null = null;
  let last: Look | null = null;
  do {
    const beganMs = clock.monotonicMs();
    last = await look();
    if (hasNewLife(last, life)) return "anew";
    silentSinceMs = isSilent(last) ? (silentSinceMs ?? beganMs) : null;
    if (silentSinceMs !== null && clock.monotonicMs() - silentSinceMs >= SILENCE_MS) return "silent";
    await clock.sleep(POLL_MS, signal);
  } while (clock.monotonicMs() < deadlineMs);
  throw new FenceLied(`the fence command said that it was done, and ${stillSeen(last)}`, { exit: ExitCode.negative });
}

export const isSilent = ({ host, onWire }: Look) => host.is === "silent" && onWire.length === 0;

/** It answers, and what ran in the life that is known of it ended with that. */
export const hasNewLife = ({ host, onWire }: Look, life: string | null) =>
  host.is === "there" && life !== null && host.life !== life && onWire.length === 0;

/** Why a host is not taken for ended. */
export function stillSeen({ host, onWire }: Look): string {
  if (onWire.length > 0) return `${onWire.join(", ")} still answers on the wire`;
  if (host.is === "there") return "the host still answers";
  return host.is === "unclear"
    ? `whether the host is there is not clear: ${host.detail}`
    : "the host was not silent for long";
}
