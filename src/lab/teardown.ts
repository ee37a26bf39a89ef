import PQueue from "p-queue";
import { ExitCode, LabError } from "../model/error.ts";
import type { LabContext } from "./context.ts";
import { workspaceOf } from "./context.ts";
import { readJournal } from "./journal.ts";
import { leaveLabUplink } from "./uplinks.ts";
import { labCgroup, labDirectory, namespacePrefix, trialDirectory } from "./paths.ts";
import type { Undo } from "../platforms/platform.ts";

/**
 * How long teardown may take before it says what is left, and how much longer for each domain, ms. Its own: whoever cancels an
 * `up` does not cancel this.
 */
export const TEARDOWN_DEADLINE_MS = 30_000;
const DEADLINE_OF_A_DOMAIN_MS = 500;

/** Domains that are ended at a time. */
const PARALLEL = 8;

/**
 * Removes everything of a lab, whatever state a crash left it in: first real interfaces are put back, then goes what the journal names, newest first, then what the
 * kernel still shows under the lab's names; the network namespaces, which were the first, are the last to go. The caller holds the lab's lock. Idempotent.
 * @throws LabError that lists what could not be removed
 */
export async function tearDown(context: LabContext, lab: string): Promise<void> {
  const { host, paths } = context;
  const entries = await readJournal(host, paths, lab);
  // What an earlier boot made is gone, but for the files, which go with the lab's folder; its names may be another's by now.
  const undos = newestFirst(
    entries.filter((entry) => entry.bootId === host.machine.bootId).flatMap((entry) => entry.undos),
  );
  const domains = undos.filter((undo) => undo.kind === "domain");
  const { attempt, left } = withDeadline(context, TEARDOWN_DEADLINE_MS + domains.length * DEADLINE_OF_A_DOMAIN_MS);

  // What is the machine's own comes before all that is the lab's.
  for (const undo of undos) {
    if (undo.kind === "uplink") await attempt(describe(undo), () => leaveLabUplink(context, lab, undo.lan));
  }
  // Then processes: nothing that goes away below may be in use, and nothing may be made anew.
  const workspace = workspaceOf(context, lab);
  const queue = new PQueue({ concurrency: PARALLEL });
  for (const undo of domains) {
    void queue.add(() =>
      attempt(`domain ${undo.name}`, () => context.platforms[undo.platform].destroy(host, workspace, lab, undo.name)),
    );
  }
  await queue.onIdle();
  await attempt("processes", (remainingMs) => host.cgroups.destroy(labCgroup(lab), remainingMs));

  for (const undo of undos) {
    if (undo.kind === "domain" || undo.kind === "namespace" || undo.kind === "uplink") continue;
    await attempt(describe(undo), (remainingMs) => perform(context, undo, remainingMs));
  }

  const directories = [labDirectory(paths, lab), trialDirectory(paths, lab)];
  const isWithin = (target: string) => directories.some((directory) => target.startsWith(`${directory}/`));
  const mounts = (await host.mounts.list()).filter(({ target }) => isWithin(target)).reverse();
  for (const { target } of mounts) await attempt(`mount ${target}`, () => host.mounts.unmount(target, { lazy: true }));
  await attempt("namespaces", async () => {
    const recorded = undos.flatMap((undo) => (undo.kind === "namespace" ? [undo.name] : []));
    const shown = (await host.namespaces.list()).filter((name) => name.startsWith(namespacePrefix(lab)));
    // At once, because a large lab has hundreds. Also with none: whoever was killed while it made the first has left what
    // all are made in.
    await host.namespaces.remove([...new Set([...recorded, ...shown])]);
  });
  // The journal stays with the folder until all else is gone, so that the next `down` goes on from here.
  if (left().length === 0) {
    const own = ["runc", "qemu", "xen"].map((platform) => `${paths.run}/${platform}/${lab}`);
    for (const directory of [...own, ...directories]) {
      await attempt(directory, () => host.files.remove(directory));
    }
  }
  if (left().length > 0) {
    throw new LabError(`lab ${lab} could not be removed wholly:\n  ${left().join("\n  ")}`, {
      hint: `run cloison down ${lab} again`,
      exit: ExitCode.failed,
    });
  }
}

type Attempt = (what: string, work: (remainingMs: number) => Promise<void> | void) => Promise<void>;

/**
 * Tries a step, and takes note of it when it fails: the others are still tried. After the deadline none is begun; those that
 * wait for something have deadlines of their own.
 */
function withDeadline({ host: { clock } }: LabContext, deadlineMs: number): { attempt: Attempt; left(): string[] } {
  const deadline = clock.monotonicMs() + deadlineMs;
  const failed: string[] = [];
  const notBegun: string[] = [];
  return {
    async attempt(what, work) {
      const remainingMs = deadline - clock.monotonicMs();
      if (remainingMs <= 0) {
        notBegun.push(what);
        return;
      }
      try {
        await work(remainingMs);
      } catch (error) {
        failed.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
      }
    },
    left: () => {
      const [first, ...others] = notBegun;
      if (first === undefined) return failed;
      const more = others.length === 0 ? "" : ` and ${others.length} more`;
      return [...failed, `no time left for ${first}${more}`];
    },
  };
}

/** Each once, though many an `up` may have recorded it. */
function newestFirst(undos: Undo[]): Undo[] {
  return [...new Map(undos.toReversed().map((undo) => [JSON.stringify(undo), undo])).values()];
}

function describe(undo: Undo): string {
  const { kind, ...rest } = undo;
  return `${kind} ${Object.values(rest).join(" ")}`;
}

async function perform(
  { host }: LabContext,
  undo: Exclude<Undo, { kind: "domain" | "namespace" | "uplink" }>,
  remainingMs: number,
): Promise<void> {
  switch (undo.kind) {
    case "mount":
      return host.mounts.unmount(undo.target, { lazy: true });
    case "directory":
      return host.files.remove(undo.path);
    case "cgroup":
      return host.cgroups.destroy(undo.group, remainingMs);
  }
}
