import * as z from "zod";
import type { Host } from "../../host/host.ts";
import { LabError } from "../../model/error.ts";
import type { GuestPaths } from "./guest-paths.ts";
import { askMonitor, statusOf, type MonitorCommand } from "./monitor.ts";

/** Names of what a move makes in the QEMU that sends: the copying of the disk, and the disk there. */
export const JOB = "move";
export const TARGET = "move-target";
/** Name of the disk that QEMU serves where the domain comes to. */
export const EXPORT = "root";

/** Where sockets of a move are: QEMU makes and reaches them as nobody. */
export const moveFolder = (paths: GuestPaths) => `${paths.sockets}/move`;
export const moveSockets = (paths: GuestPaths) => ({
  disk: `${moveFolder(paths)}/disk`,
  memory: `${moveFolder(paths)}/memory`,
});

/** Asks QEMU one thing. @throws LabError when there is none, or it refuses */
export async function ask(host: Host, name: string, paths: GuestPaths, command: MonitorCommand): Promise<unknown> {
  const answers = await askMonitor(host, paths, [command]);
  if (answers !== null) return answers[0];
  throw new LabError(`domain ${name} does not run`, { hint: "`cloison ps` says what ended it" });
}

/** How far QEMU is with sending or receiving memory: `active`, `pre-switchover`, `completed`, …; none: there was nothing. */
export async function migrationStatus(host: Host, name: string, paths: GuestPaths): Promise<string> {
  return statusOf(await ask(host, name, paths, { execute: "query-migrate" })) ?? "none";
}

const blockSchema = z.array(
  z.looseObject({ device: z.string(), inserted: z.looseObject({ "node-name": z.string() }).optional() }),
);

/** The node of the disk that the domain writes. */
export async function rootNode(host: Host, name: string, paths: GuestPaths): Promise<string> {
  const blocks = blockSchema.parse(await ask(host, name, paths, { execute: "query-block" }));
  const node = blocks.find(({ device }) => device === "root")?.inserted?.["node-name"];
  if (node === undefined) throw new LabError(`QEMU says nothing of the disk of domain ${name}`);
  return node;
}

const jobsSchema = z.array(
  z.looseObject({ device: z.string(), len: z.number(), offset: z.number(), ready: z.boolean() }),
);

/** How far the disk's copying is; null: it is over. */
export async function copyingJob(
  host: Host,
  name: string,
  paths: GuestPaths,
): Promise<{ ready: boolean; part: number } | null> {
  const jobs = jobsSchema.parse(await ask(host, name, paths, { execute: "query-block-jobs" }));
  const job = jobs.find(({ device }) => device === JOB);
  return job === undefined ? null : { ready: job.ready, part: job.len === 0 ? 1 : job.offset / job.len };
}

/** Waits until it holds. @throws LabError after the deadline */
export async function until(
  host: Host,
  what: string,
  { pollMs, deadlineMs, signal }: { pollMs: number; deadlineMs: number; signal?: AbortSignal | undefined },
  holds: () => Promise<boolean>,
): Promise<void> {
  const deadline = host.clock.monotonicMs() + deadlineMs;
  while (!(await holds())) {
    signal?.throwIfAborted();
    if (host.clock.monotonicMs() > deadline) throw new LabError(`${what} has taken more than ${deadlineMs / 1000} s`);
    await host.clock.sleep(pollMs, signal);
  }
}
