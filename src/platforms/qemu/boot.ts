import type { Host, Running } from "../../host/host.ts";
import { machineForm } from "../../model/machine-form.ts";
import type { DomainPlan, LabPlan } from "../../model/plan.ts";
import { untilItAnswers } from "../guest/await-guest.ts";
import type { Workspace } from "../platform.ts";
import { chooseAccelerator } from "./accelerator.ts";
import { limitEmulator } from "./emulator-limits.ts";
import { guestOf, guestPaths } from "./guest-paths.ts";
import { qemuArguments, type Accelerator } from "./qemu-arguments.ts";

const HINT = "more memory, or another accel, may help; `cloison check` says what works here";

/** How a guest's QEMU ended stands in its log, for whoever comes later. */
export const RUN = ['"$@"; echo "ended with $?" >&2', "guest"] as const;

/** Starts a guest's QEMU, which outlives this process, and waits until its agent answers. @throws LabError that says what it met */
export async function bootGuest(host: Host, workspace: Workspace, plan: LabPlan, domain: DomainPlan): Promise<void> {
  await startEmulator(host, workspace, plan, domain, { shell: RUN, more: [] }, async (running) => {
    const { console } = guestPaths(workspace, domain.name);
    await untilItAnswers(host, guestOf(host, workspace, domain.name), console, running.exited, {
      hint: HINT,
      bootMs: domain.machine?.bootMs,
    });
  });
}

/** How QEMU is started: shell that runs its arguments, and the first of them; and options that it gets besides. */
interface Launch {
  shell: readonly [string, ...string[]];
  more: readonly string[];
  /** It has no quota yet when it is ready. */
  isWaiting?: true;
}

/** Starts a guest's QEMU, detached. It has its quota once `untilReady` has ended. */
export async function startEmulator(
  host: Host,
  workspace: Workspace,
  plan: LabPlan,
  domain: DomainPlan,
  { shell, more, isWaiting }: Launch,
  untilReady: (running: Running) => Promise<void>,
): Promise<void> {
  const paths = guestPaths(workspace, domain.name);
  const group = `${workspace.cgroup}/${domain.name}`;
  const accelerator = await chooseAccelerator(host, domain.machine?.accel ?? "auto");
  for (const file of [paths.console, paths.emulatorLog, paths.shutDown]) await host.files.remove(file);
  // A guest that ran before has left its sockets.
  await host.files.remove(paths.sockets);
  await host.files.makeDirectory(paths.sockets);
  await limitEmulator(host, group, domain.limits, accelerator, "boot");
  const running = await host.processes.start(
    {
      argv: [
        ...(["sh", "-c", ...shell, "qemu-system-x86_64"] as const),
        ...emulatorArguments(workspace, plan, domain, accelerator),
        ...more,
      ],
      ...(domain.vifs.length === 0 ? {} : { namespace: plan.hostNamespace }),
      cgroup: group,
      cwd: "/",
      output: { file: paths.emulatorLog },
    },
    { detached: true },
  );
  await untilReady(running);
  if (isWaiting !== true) await limitEmulator(host, group, domain.limits, accelerator, "run");
}

/** QEMU's command line for a domain as it is planned. */
export function emulatorArguments(
  workspace: Workspace,
  plan: LabPlan,
  domain: DomainPlan,
  accelerator: Accelerator,
): string[] {
  const inside = plan.network[domain.namespace];
  return qemuArguments(domain, {
    accelerator,
    paths: guestPaths(workspace, domain.name),
    form: machineForm(workspace.rootfs(domain), domain.limits.diskBytes),
    mtus: domain.vifs.map(({ guest }) => inside?.links.find(({ name }) => name === guest)?.mtu ?? 1500),
  });
}
