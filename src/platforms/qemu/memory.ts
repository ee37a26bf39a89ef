import type { Host, Running } from "../../host/host.ts";
import { LabError } from "../../model/error.ts";
import type { DomainPlan, LabPlan } from "../../model/plan.ts";
import { execInGuest } from "../guest/exec.ts";
import { wakeProgram } from "../guest/wake.ts";
import type { Workspace } from "../platform.ts";
import { startEmulator } from "./boot.ts";
import { guestOf, guestPaths, type GuestPaths } from "./guest-paths.ts";
import { askMonitor, statusOf } from "./monitor.ts";

const POLL_MS = 50;
/** A GiB of memory takes seconds; a disk may be slow. */
const DEADLINE_MS = 10 * 60_000;
/** What who receives may take to end when nothing more comes. */
const END_MS = 2000;
/** QEMU's own limit, 128 MiB a second, is meant for networks. */
const BYTES_PER_SECOND = 2 ** 33;
/** Under emulation, with much else going on. */
const WAKE_MS = 60_000;

/** QEMU may start no programs and open no files (-sandbox, -runas), but connect. */
const RECEIVE = `socat -u "UNIX-LISTEN:$1,mode=0600,user=nobody" - | zstd -q -1 -o "$2"`;

/**
 * Writes the memory of a guest that stands still to a file: what QEMU would send to another one, compressed. Afterwards QEMU
 * has let go of its disks, so that they can be copied, until the guest goes on.
 */
export async function saveMemory(
  host: Host,
  name: string,
  paths: GuestPaths,
  file: string,
  signal?: AbortSignal,
): Promise<void> {
  const socket = `${paths.sockets}/memory`;
  await host.files.remove(socket);
  const receiver = await host.processes.start({
    argv: ["sh", "-c", RECEIVE, "receive", socket, file],
    ...(signal === undefined ? {} : { signal }),
  });
  try {
    await until(host, receiver, signal, () => host.files.exists(socket));
    await askMonitor(host, paths, [
      { execute: "migrate-set-parameters", arguments: { "max-bandwidth": BYTES_PER_SECOND } },
      { execute: "migrate", arguments: { uri: `unix:${socket}` } },
    ]);
    try {
      await until(host, null, signal, () => isMigrated(host, name, paths));
    } catch (error) {
      signal?.throwIfAborted();
      // Sending fails when nobody receives, who knows better why.
      const received = receiver.exited.then(({ code }) => code === 0);
      const isReceived = await Promise.race([received, host.clock.sleep(END_MS).then(() => true)]);
      if (isReceived) throw error;
    }
    const { code, stderr } = await receiver.exited;
    if (code !== 0) throw new LabError(`the memory of domain ${name} was not kept: ${stderr.trim()}`);
  } finally {
    receiver.kill("SIGTERM");
    await receiver.exited;
    await host.files.remove(socket);
  }
}

/** Reads a file with what a guest's memory was, and starts the guest with it. */
const FEED = `memory=$1; shift; zstd -dcq "$memory" | { "$@"; echo "ended with $?" >&2; }`;

/**
 * Starts a guest where its memory was left, sets its clock, and lets it ask for its leases again.
 * @throws LabError that says what it met
 */
export async function wakeGuest(
  host: Host,
  workspace: Workspace,
  plan: LabPlan,
  domain: DomainPlan,
  memory: string,
): Promise<void> {
  const paths = guestPaths(workspace, domain.name);
  const guest = guestOf(host, workspace, domain.name);
  const launch = { shell: [FEED, "guest", memory], more: ["-incoming", "fd:0"] } as const;
  await startEmulator(host, workspace, plan, domain, launch, async (running) => {
    let isGone = false;
    void running.exited.then(() => (isGone = true));
    await until(host, null, undefined, async () => {
      if (isGone) throw new LabError(`domain ${domain.name} did not wake: ${await guest.describeEnd()}`);
      return (await host.files.exists(paths.monitor)) && (await isMigrated(host, domain.name, paths));
    });
    await askMonitor(host, paths, [{ execute: "cont" }]);
    const { code, stderr } = await execInGuest(host, guest, wakeProgram(host), { beginMs: WAKE_MS });
    if (code !== 0) throw new LabError(`domain ${domain.name} woke, and its clock cannot be set: ${stderr.trim()}`);
  });
}

/** Whether all has been sent, or received. @throws LabError when it has failed */
async function isMigrated(host: Host, name: string, paths: GuestPaths): Promise<boolean> {
  const [answer] = (await askMonitor(host, paths, [{ execute: "query-migrate" }])) ?? [];
  const status = statusOf(answer);
  if (status !== "failed" && status !== "cancelled") return status === "completed";
  throw new LabError(`QEMU could not move the memory of domain ${name}`, { hint: "its log may say why" });
}

async function until(
  host: Host,
  running: Running | null,
  signal: AbortSignal | undefined,
  holds: () => Promise<boolean>,
): Promise<void> {
  let ended: string | null = null;
  void running?.exited.then(({ stderr }) => (ended = stderr.trim()));
  const deadline = host.clock.monotonicMs() + DEADLINE_MS;
  while (!(await holds())) {
    signal?.throwIfAborted();
    if (ended !== null) throw new LabError(`nobody takes the memory: ${ended}`);
    if (host.clock.monotonicMs() > deadline) throw new LabError(`QEMU has not been done for ${DEADLINE_MS / 1000} s`);
    await host.clock.sleep(POLL_MS, signal);
  }
}
