import type { MachineForm } from "../../model/machine-form.ts";
import type { DomainLimits, DomainPlan } from "../../model/plan.ts";
import { slotSockets } from "../guest/agent-lines.ts";
import type { XenPaths } from "./xen-paths.ts";

/**
 * How xl numbers channels. The first console is 0 already: one that counts from there (4.17) refuses the channel that it takes
 * for that console, says so, and goes on.
 */
export type Numbering = "from 0" | "from 1";

/** Name of the channel that is there to be refused. */
export const REFUSED = "refused";

/** What xl is told of a domain (xl.cfg(5)): a paravirtual one, whose end is nobody's to undo. */
export function xlConfig(
  { limits, vifs, machine }: DomainPlan,
  paths: XenPaths,
  form: MachineForm,
  numbering: Numbering,
): string {
  const disk = (device: string, format: string, path: string) =>
    // The path is last: it may have commas.
    `format=${format},vdev=${device},access=rw,backendtype=qdisk,target=${path}`;
  const settings: Record<string, string | number | string[]> = {
    name: paths.domain,
    uuid: paths.uuid,
    type: "pv",
    kernel: form.kernel,
    ramdisk: form.initramfs,
    extra: "console=hvc0 quiet panic=-1",
    memory: mebibytes(limits),
    vcpus: machine?.vcpus ?? 1,
    cpus: limits.cpuset.join(","),
    // QEMU (7.2) realizes no disk for Xen that is read-only.
    disk: [disk("xvda", "qcow2", paths.disk), disk("xvdb", "raw", paths.configurationDisk)],
    vif: vifs.map(({ vif, mac }) => `mac=${mac},script=${paths.vifScript(vif)}`),
    channel: channels(paths, numbering).map((socket) => `name=${baseName(socket)},connection=socket,path=${socket}`),
    on_poweroff: "destroy",
    on_reboot: "destroy",
    on_crash: "destroy",
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name} = ${Array.isArray(value) ? `[${value.map(quote).join(", ")}]` : quote(value)}\n`)
    .join("");
}

/** Of a domain's memory, in whole MiB: Xen's tools count so. */
export function mebibytes({ memoryBytes }: Pick<DomainLimits, "memoryBytes">): number {
  return Math.floor(memoryBytes / 2 ** 20);
}

/** Sockets of the consoles beside the first, in the order in which guest/main knows them. */
function channels({ lines }: XenPaths, numbering: Numbering): string[] {
  const slots = Array.from({ length: lines.slots }, (_, slot) => slotSockets(lines, slot));
  return [
    ...(numbering === "from 0" ? [`${lines.sockets}/${REFUSED}`] : []),
    ...slots.flatMap(({ control, out, err }) => [control, out, err]),
    ...slots.flatMap(({ terminal }) => terminal ?? []),
  ];
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** xl's own quoting: backslashes are its escapes. */
function quote(value: string | number): string {
  return typeof value === "number" ? `${value}` : `"${value.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
}
