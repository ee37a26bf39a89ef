import { createHash } from "node:crypto";
import * as z from "zod";
import type { Host } from "../../host/host.ts";
import { ExitCode, LabError } from "../../model/error.ts";
import { machineForm } from "../../model/machine-form.ts";
import type { DomainPlan, LabPlan } from "../../model/plan.ts";
import type { Workspace } from "../platform.ts";
import { guestConfiguration } from "./guest-configuration.ts";
import { insideOf } from "./prepare-files.ts";

/** What a guest knows of its machine, and must find again where it goes on. */
export const hardwareSchema = z.strictObject({
  machine: z.string().describe("QEMU's machine type with its version, as pc-q35-7.2; of Xen: xen-pv"),
  processor: z.string().describe("its model, unless it is emulated"),
  hardware: z.array(z.string()).describe("what a guest sees of QEMU's options, or of xl's"),
  told: z.string().describe("sha256 of what the guest was told when it started: network, services, files"),
});
export type SavedHardware = z.output<typeof hardwareSchema>;

/** `machine.json` of a snapshot: what its disk lies on, and the machine that its memory was the memory of. */
const savedMachineSchema = z.strictObject({
  base: z.string().describe("of the disk below: no other, not even one of the same content, has the same blocks"),
  memory: hardwareSchema.nullable(),
});
export type SavedMachine = z.output<typeof savedMachineSchema>;

const fileOf = (directory: string) => `${directory}/machine.json`;

export async function writeSavedMachine(host: Host, directory: string, saved: SavedMachine): Promise<void> {
  await host.files.writeText(fileOf(directory), `${JSON.stringify(saved, null, 2)}\n`);
}

export async function readSavedMachine(host: Host, directory: string): Promise<SavedMachine> {
  // Its checksum was verified: it is as it was written.
  return savedMachineSchema.parse(JSON.parse(await host.files.readText(fileOf(directory))));
}

/** Where a file system was made its identifiers and times were drawn, and lie in its first blocks; it is only read since. */
const BASE_SCRIPT = 'head -c 1M "$1" | sha256sum';

/** Identifies the disk that a domain's own lies on. */
export async function baseOf(host: Host, workspace: Workspace, domain: DomainPlan): Promise<string> {
  const { disk } = machineForm(workspace.rootfs(domain), domain.limits.diskBytes);
  return (await host.processes.must({ argv: ["sh", "-ec", BASE_SCRIPT, "base", disk] })).slice(0, 64);
}

/** A hash of what a guest was told when it started. */
export function toldTo(plan: LabPlan, domain: DomainPlan): string {
  const told = JSON.stringify(guestConfiguration(domain, insideOf(plan, domain)));
  return createHash("sha256").update(told).digest("hex");
}

/** A guest that is not emulated has the processor's own features. */
export async function processorModel(host: Host): Promise<string> {
  const text = (await host.files.readTextIfExists("/proc/cpuinfo")) ?? "";
  return /^model name\s*: (.*)$/m.exec(text)?.[1] ?? "unknown";
}

/** @throws LabError when the disk that is kept lies on another one than the domain's does */
export async function requireSameBase(
  host: Host,
  workspace: Workspace,
  domain: DomainPlan,
  saved: SavedMachine,
): Promise<void> {
  if (saved.base === (await baseOf(host, workspace, domain))) return;
  throw new LabError(`the snapshot lies on another disk than domain ${domain.name} has now`, {
    hint: "the image's disk was made anew, or domain's `disk` was changed, since",
  });
}

/** Puts a disk that was kept in the place of a domain's own; the image may lie elsewhere than it did. */
export async function putDisk(
  host: Host,
  workspace: Workspace,
  domain: DomainPlan,
  from: string,
  to: string,
): Promise<void> {
  await copy(host, from, to);
  const { disk } = machineForm(workspace.rootfs(domain), domain.limits.diskBytes);
  await host.processes.must({ argv: ["qemu-img", "rebase", "-u", "-q", "-F", "raw", "-b", disk, to] });
}

export async function copy(host: Host, from: string, to: string, signal?: AbortSignal): Promise<void> {
  await host.processes.must({
    argv: ["cp", "--sparse=always", "--reflink=auto", from, to],
    ...(signal === undefined ? {} : { signal }),
  });
}

/** @throws LabError naming the first thing in which the machine that is and the one that was are not alike */
export function requireAlike(name: string, was: SavedHardware, is: SavedHardware): void {
  const found = difference(was, is);
  if (found === null) return;
  const { what, before, now } = found;
  throw new LabError(`the memory of domain ${name} is not this machine's: it had ${what} ${before}, and has ${now}`, {
    hint: "--disk-only puts its disk back, and boots it",
  });
}

/**
 * As `requireAlike`, of a domain that is to go on at another host.
 * @throws LabError saying what hosts have to have in common for it
 */
export function requireAlikeHere(name: string, there: SavedHardware, here: SavedHardware): void {
  const found = difference(there, here);
  if (found === null) return;
  const { what, before, now, remedy } = found;
  throw new LabError(`domain ${name} cannot go on here: it has ${what} ${before}, and here it would have ${now}`, {
    hint: `hosts have to have ${remedy}`,
    exit: ExitCode.unavailable,
  });
}

const SAME_DEVICES = "as many CPUs, and the same version of cloison";

/** The first thing in which two machines are not alike. */
function difference(was: SavedHardware, is: SavedHardware) {
  const lost = was.hardware.filter((option) => !is.hardware.includes(option));
  const gained = is.hardware.filter((option) => !was.hardware.includes(option));
  const compared = [
    { what: "the machine", before: was.machine, now: is.machine, remedy: "the same version of QEMU" },
    { what: "the processor", before: was.processor, now: is.processor, remedy: "the same processor" },
    { what: "the hardware", before: lost[0] ?? "nothing", now: gained[0] ?? "nothing", remedy: SAME_DEVICES },
    { what: "the order of devices", before: was.hardware.join(" "), now: is.hardware.join(" "), remedy: SAME_DEVICES },
    {
      what: "been told (network, services, files)",
      before: was.told.slice(0, 12),
      now: is.told.slice(0, 12),
      remedy: "the same version of cloison",
    },
  ];
  return compared.find(({ before, now }) => before !== now) ?? null;
}
