import type { Host } from "../../host/host.ts";
import { machineForm } from "../../model/machine-form.ts";
import type { DomainPlan, LabPlan } from "../../model/plan.ts";
import { untilItAnswers } from "../guest/await-guest.ts";
import type { Workspace } from "../platform.ts";
import { chooseAccelerator } from "./accelerator.ts";
import { limitEmulator } from "./emulator-limits.ts";
import { guestOf, guestPaths } from "./guest-paths.ts";
import { qemuArguments } from "./qemu-arguments.ts";

const HINT = "more memory, or another accel, may help; `cloison check` says what works here";

/** Starts a guest's QEMU, which outlives this process, and waits until its agent answers. @throws LabError that says what it met */
export async function bootGuest(host: Host, workspace: Workspace, plan: LabPlan, domain: DomainPlan): Promise<void> {
  const paths = guestPaths(workspace, domain.name);
  const group = `${workspace.cgroup}/${domain.name}`;
  const accelerator = await chooseAccelerator(host, domain.machine?.accel ?? "auto");
  for (const file of [paths.console, paths.emulatorLog]) await host.files.remove(file);
  // A guest that ran before has left its sockets.
  await host.files.remove(paths.sockets);
  await host.files.makeDirectory(paths.sockets);
  await limitEmulator(host, group, domain.limits, accelerator, "boot");
  const inside = plan.network[domain.namespace];
  const mtus = domain.vifs.map(({ guest }) => inside?.links.find(({ name }) => name === guest)?.mtu ?? 1500);
  const form = machineForm(workspace.rootfs(domain), domain.limits.diskBytes);
  const running = await host.processes.start(
    {
      // How it ended stands in its log, for whoever comes later.
      argv: [
        ...(["sh", "-c", '"$@"; echo "ended with $?" >&2', "guest", "qemu-system-x86_64"] as const),
        ...qemuArguments(domain, { accelerator, paths, form, mtus }),
      ],
      ...(domain.vifs.length === 0 ? {} : { namespace: plan.hostNamespace }),
      cgroup: group,
      cwd: "/",
      output: { file: paths.emulatorLog },
    },
    { detached: true },
  );
  await untilItAnswers(host, guestOf(host, workspace, domain.name), paths.console, running.exited, {
    hint: HINT,
    bootMs: domain.machine?.bootMs,
  });
  await limitEmulator(host, group, domain.limits, accelerator, "run");
}
