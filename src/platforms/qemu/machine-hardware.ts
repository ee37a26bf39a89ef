import type { Host } from "../../host/host.ts";
import { LabError } from "../../model/error.ts";
import type { DomainPlan, LabPlan } from "../../model/plan.ts";
import { processorModel, toldTo, type SavedHardware } from "../guest/saved-machine.ts";
import type { Workspace } from "../platform.ts";
import { chooseAccelerator } from "./accelerator.ts";
import { emulatorArguments } from "./boot.ts";
import { guestPaths } from "./guest-paths.ts";
import { askMonitor } from "./monitor.ts";
import type { Accelerator } from "./qemu-arguments.ts";

/** Of a QEMU that runs, which may be of an earlier version than the one that is installed. */
export async function runningHardware(
  host: Host,
  workspace: Workspace,
  plan: LabPlan,
  domain: DomainPlan,
): Promise<SavedHardware> {
  const [kvm, type] =
    (await askMonitor(host, guestPaths(workspace, domain.name), [
      { execute: "query-kvm" },
      { execute: "qom-get", arguments: { path: "/machine", property: "type" } },
    ])) ?? [];
  const isKvm = typeof kvm === "object" && kvm !== null && "enabled" in kvm && kvm.enabled === true;
  if (typeof type !== "string") throw new LabError("QEMU does not say which machine it is");
  return {
    machine: type.replace(/-machine$/, ""),
    ...(await seen(host, workspace, plan, domain, isKvm ? "kvm" : "tcg")),
  };
}

/** Of the QEMU that would be started. */
export async function plannedHardware(
  host: Host,
  workspace: Workspace,
  plan: LabPlan,
  domain: DomainPlan,
): Promise<SavedHardware> {
  const types = await host.processes.must({ argv: ["qemu-system-x86_64", "-machine", "help"] });
  const [, machine] = /^q35 .*\(alias of (\S+)\)$/m.exec(types) ?? [];
  if (machine === undefined) throw new LabError("QEMU does not say which machine its q35 is");
  const accelerator = await chooseAccelerator(host, domain.machine?.accel ?? "auto");
  return { machine, ...(await seen(host, workspace, plan, domain, accelerator)) };
}

async function seen(
  host: Host,
  workspace: Workspace,
  plan: LabPlan,
  domain: DomainPlan,
  accelerator: Accelerator,
): Promise<Omit<SavedHardware, "machine">> {
  return {
    processor: accelerator === "kvm" ? await processorModel(host) : "emulated",
    hardware: hardwareOf(emulatorArguments(workspace, plan, domain, accelerator)),
    told: toldTo(plan, domain),
  };
}

/** Options of QEMU's command line that a guest sees. */
const SEEN = new Set(["-cpu", "-smp", "-m", "-device"]);

export function hardwareOf(argv: readonly string[]): string[] {
  return argv.flatMap((word, i) => (SEEN.has(word) ? [`${word} ${argv[i + 1] ?? ""}`] : []));
}
