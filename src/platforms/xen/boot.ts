import { dirname } from "node:path";
import type { Host, Lock, Running } from "../../host/host.ts";
import { machineForm, type MachineForm } from "../../model/machine-form.ts";
import { LabError } from "../../model/error.ts";
import type { DomainPlan, LabPlan } from "../../model/plan.ts";
import { untilItAnswers } from "../guest/await-guest.ts";
import type { Workspace } from "../platform.ts";
import { guestOf } from "./domain-end.ts";
import { shareProcessors } from "./limiting.ts";
import { endDomain, readStore, requireDomain, xl } from "./toolstack.ts";
import { vifScript } from "./vif-script.ts";
import { REFUSED, xlConfig, type Numbering } from "./xl-config.ts";
import { xenPaths, type XenPaths } from "./xen-paths.ts";

const HINT = "more memory may help; `cloison check` says whether Xen works here, and `xl dmesg` what it says itself";

/** An emulated Xen host may be busy with other domains, too. */
const BOOT_MS = 300_000;

const TERMINAL_MS = 10_000;
const POLL_MS = 50;

/** Keeps what a console says, until the domain goes. No session's first process opens it: that would be ended by its hang-up. */
const KEEP_CONSOLE = '(exec cat <"$1" >>"$2" 2>/dev/null); true';

/**
 * Creates a domain, which outlives this process, and waits until its agent answers. Where there is memory of a snapshot, it goes
 * on from that.
 * @throws LabError that says what it met
 */
export async function bootDomain(host: Host, workspace: Workspace, plan: LabPlan, domain: DomainPlan): Promise<void> {
  const paths = xenPaths(workspace, domain.name);
  const form = machineForm(workspace.rootfs(domain), domain.limits.diskBytes);
  const goesOn = await host.files.exists(paths.memory);
  for (const file of [paths.console, paths.shutDown]) await host.files.remove(file);
  // A domain that ran before has left its sockets.
  await host.files.remove(paths.sockets);
  await host.files.makeDirectory(paths.sockets);
  for (const { vif } of domain.vifs) {
    const file = paths.vifScriptFile(vif);
    await host.files.writeText(file, vifScript(plan.hostNamespace, vif), 0o755);
    await host.processes.must({ argv: ["ln", "-s", file, paths.vifScript(vif)] });
  }
  // Xen's tools and the domain's QEMU, which serves its disk, are in its control group.
  const cgroup = `${workspace.cgroup}/${domain.name}`;
  const id = await alone(host, () => createPaused(host, domain, paths, form, { cgroup, goesOn }));
  const running = await wake(host, paths, cgroup, domain.name, id);
  await untilItAnswers(host, guestOf(host, workspace, domain.name), paths.console, running.exited, {
    hint: HINT,
    bootMs: BOOT_MS,
    goesOn,
  });
  await host.files.remove(paths.memory);
  await shareProcessors(host, paths, id, domain);
}

/** Held by whoever creates a domain. */
const CREATING = "/run/cloison/xen.lock";

/** One at a time: what xl does is dom0's work, and a QEMU that has not answered it for 10 s, as of many it may, is given up. */
async function alone<T>(host: Host, work: () => Promise<T>): Promise<T> {
  await host.files.makeDirectory(dirname(CREATING));
  let lock: Lock | null;
  while ((lock = host.tryLock(CREATING)) === null) await host.clock.sleep(POLL_MS);
  try {
    return await work();
  } finally {
    lock.release();
  }
}

const CREATE_MS = 120_000;

/** @returns the domain's number, for now */
export async function createPaused(
  host: Host,
  domain: DomainPlan,
  paths: XenPaths,
  form: MachineForm,
  { cgroup, goesOn }: { cgroup: string; goesOn: boolean },
): Promise<number> {
  const make = goesOn ? ["restore", "-p", paths.xl, paths.memory] : ["create", "-q", "-p", paths.xl];
  const create = async (numbering: Numbering): Promise<number> => {
    await host.files.writeText(paths.xl, xlConfig(domain, paths, form, numbering));
    await host.processes.must({ argv: ["xl", ...make], cgroup, timeoutMs: CREATE_MS });
    return (await requireDomain(host, domain.name, paths.uuid)).id;
  };
  const id = await create("from 0");
  if ((await readStore(host, `/local/domain/0/backend/console/${id}/1/name`)) !== REFUSED) return id;
  await endDomain(host, paths.uuid);
  return create("from 1");
}

/** Lets a domain that was created paused run. @returns who keeps its console, for as long as it lives */
async function wake(host: Host, paths: XenPaths, cgroup: string, name: string, id: number): Promise<Running> {
  const deadline = host.clock.monotonicMs() + TERMINAL_MS;
  let terminal: string | null;
  while ((terminal = await readStore(host, `/local/domain/${id}/console/tty`)) === null) {
    if (host.clock.monotonicMs() > deadline) {
      throw new LabError(`domain ${name} has got no console`, { hint: "xenconsoled, of Xen's services, must run" });
    }
    await host.clock.sleep(POLL_MS);
  }
  const running = await host.processes.start(
    { argv: ["sh", "-c", KEEP_CONSOLE, "console", terminal, paths.console], cgroup, cwd: "/" },
    { detached: true },
  );
  await xl(host, ["unpause", `${id}`]);
  return running;
}
