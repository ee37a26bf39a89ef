import type { Host } from "../../host/host.ts";
import { LabError } from "../../model/error.ts";
import type { Guest } from "./agent-lines.ts";
import { AGAIN, consoleTail, UP } from "./console.ts";
import { execInGuest } from "./exec.ts";
import { BUSYBOX } from "./guest-configuration.ts";
import { wakeProgram } from "./wake.ts";

/** Under emulation a guest takes 3 s where it is alone, and as many times more as there are for each CPU. */
const BOOT_MS = 120_000;
/** The longer it has taken, the longer it may go unnoticed: whoever looks takes time from whoever boots. */
const POLL_MS = 50;
const POLL_PART = 0.03;
const SETTLE_MS = 2000;

/**
 * Waits until the agent of a guest that was just started answers. One that goes on where its memory was left is woken.
 * @param console its first console's file
 * @param gone resolves when the guest has ended
 * @throws LabError that says what it met
 */
export async function untilItAnswers(
  host: Host,
  guest: Guest,
  console: string,
  gone: Promise<unknown>,
  { hint, bootMs = BOOT_MS, goesOn = false }: { hint: string; bootMs?: number | undefined; goesOn?: boolean },
): Promise<void> {
  let isGone = false;
  void gone.then(() => (isGone = true));
  const beganMs = host.clock.monotonicMs();
  const deadline = beganMs + bootMs;
  const failed = async (what: string) => {
    const said = await consoleTail(host, console);
    return new LabError(`domain ${guest.name} ${what}${said === "" ? "" : `; its console says:\n${said}`}`, { hint });
  };
  for (;;) {
    if (isGone) throw await failed(`did not come up: ${await guest.describeEnd()}`);
    const leftMs = deadline - host.clock.monotonicMs();
    if (leftMs <= 0) throw await failed(`has not booted within ${bootMs / 1000} s`);
    // Not before: of who is connected while its driver starts, a guest may not hear (QEMU drops what its queue cannot take).
    const told = (await host.files.readTextIfExists(console)) ?? "";
    if (goesOn ? told.split(AGAIN).length > guest.lines.slots : told.includes(UP)) break;
    await host.clock.sleep(Math.max(POLL_MS, POLL_PART * (host.clock.monotonicMs() - beganMs)));
  }
  const program = goesOn ? wakeProgram(host) : ([BUSYBOX, "true"] as const);
  const answer = execInGuest(host, guest, [...program], { beginMs: bootMs });
  const ended = gone.then(() => null);
  const exit = await Promise.race([answer, ended]).catch(async (error: unknown) => {
    throw error instanceof LabError && !isGone ? await failed(`did not come up: ${error.message}`) : error;
  });
  if (exit === null || exit.code !== 0) {
    await Promise.allSettled([answer]);
    await Promise.race([gone, host.clock.sleep(SETTLE_MS)]);
    throw await failed(
      isGone
        ? `did not come up: ${await guest.describeEnd()}`
        : `came up, and cannot run programs (exit ${exit?.code})`,
    );
  }
}
