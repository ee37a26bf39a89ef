import type { Host, Running } from "../../host/host.ts";
import { LabError } from "../../model/error.ts";
import { machineForm } from "../../model/machine-form.ts";
import type { DomainPlan, LabPlan } from "../../model/plan.ts";
import type { Workspace } from "../platform.ts";
import { chooseAccelerator } from "./accelerator.ts";
import { limitEmulator } from "./emulator-limits.ts";
import { execInGuest } from "./exec.ts";
import { consoleTail, describeEnd } from "./guest-end.ts";
import { BUSYBOX, guestPaths, type GuestPaths } from "./guest-paths.ts";
import { qemuArguments } from "./qemu-arguments.ts";

/** Under emulation a guest takes 3 s where it is alone, and as many times more as there are for each CPU. */
const BOOT_MS = 120_000;
const POLL_MS = 50;
const SETTLE_MS = 2000;

/** What guest/main says when its agent is there. */
const UP = "cloison: the guest is up";

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
  await untilItAnswers(host, workspace, domain, paths, running);
  await limitEmulator(host, group, domain.limits, accelerator, "run");
}

async function untilItAnswers(
  host: Host,
  workspace: Workspace,
  domain: DomainPlan,
  paths: GuestPaths,
  running: Running,
): Promise<void> {
  let gone = false;
  void running.exited.then(() => (gone = true));
  const deadline = host.clock.monotonicMs() + BOOT_MS;
  const failed = async (what: string) => {
    const said = await consoleTail(host, paths);
    return new LabError(`domain ${domain.name} ${what}${said === "" ? "" : `; its console says:\n${said}`}`, {
      hint: "more memory, or another accel, may help; `cloison check` says what works here",
    });
  };
  for (;;) {
    if (gone) throw await failed(`did not come up: ${await describeEnd(host, paths)}`);
    const leftMs = deadline - host.clock.monotonicMs();
    if (leftMs <= 0) throw await failed(`has not booted within ${BOOT_MS / 1000} s`);
    // Not before: of who is connected while its driver starts, a guest may not hear (QEMU drops what its queue cannot take).
    if ((await host.files.readTextIfExists(paths.console))?.includes(UP) === true) break;
    await host.clock.sleep(POLL_MS);
  }
  const answer = execInGuest(host, workspace, domain.name, [BUSYBOX, "true"], { beginMs: BOOT_MS });
  const ended = running.exited.then(() => null);
  const exit = await Promise.race([answer, ended]).catch(async (error: unknown) => {
    throw error instanceof LabError && !gone ? await failed(`did not come up: ${error.message}`) : error;
  });
  if (exit === null || exit.code !== 0) {
    await Promise.allSettled([answer]);
    await Promise.race([running.exited, host.clock.sleep(SETTLE_MS)]);
    throw await failed(
      gone
        ? `did not come up: ${await describeEnd(host, paths)}`
        : `came up, and cannot run programs (exit ${exit?.code})`,
    );
  }
}
