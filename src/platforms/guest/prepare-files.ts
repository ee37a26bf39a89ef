import type { Host } from "../../host/host.ts";
import { LabError } from "../../model/error.ts";
import { machineForm } from "../../model/machine-form.ts";
import type { NamespaceState } from "../../model/network-state.ts";
import type { DomainPlan, LabPlan } from "../../model/plan.ts";
import type { Undo, Workspace } from "../platform.ts";
import { guestConfiguration, rulesOf } from "./guest-configuration.ts";
import type { GuestFiles } from "./guest-files.ts";

/** With 64 MiB Debian's kernel resets at once, with 72 it panics, with 80 it comes up; and then programs want some. */
const LEAST_MEMORY_BYTES = 96 * 2 ** 20;

/** A console and a log may be so large together. */
const OUTPUT_LIMIT = "16m";

const NOTHING: NamespaceState = { links: [], addresses: [], routes: [], neighbours: [], sysctls: {}, tables: {} };

/** The network that a guest is to set up inside. */
export function insideOf(plan: LabPlan, domain: DomainPlan): NamespaceState {
  return plan.network[domain.namespace] ?? NOTHING;
}

/** Makes a guest's files: its disk over its image's, and what it is told. */
export async function prepareGuestFiles(
  host: Host,
  workspace: Workspace,
  plan: LabPlan,
  domain: DomainPlan,
  files: GuestFiles,
): Promise<void> {
  const inside = insideOf(plan, domain);
  requireEnoughMemory(domain);
  if (await host.files.exists(files.directory)) {
    throw new LabError(`domain ${domain.name} is there already`, { hint: `cloison down ${plan.lab}` });
  }
  const configuration = guestConfiguration(domain, inside);
  const undos: Undo[] = [
    { kind: "directory", path: files.directory },
    { kind: "directory", path: files.sockets },
    { kind: "mount", target: files.output },
    { kind: "cgroup", group: `${workspace.cgroup}/${domain.name}` },
    { kind: "domain", platform: plan.platform, lab: plan.lab, name: domain.name },
  ];
  await workspace.record(undos);
  await host.files.makeDirectory(files.output);
  const limit = `size=${OUTPUT_LIMIT},mode=700`;
  host.mounts.mount({ source: "output", target: files.output, type: "tmpfs", flags: ["nosuid", "nodev"], data: limit });
  for (const [name, text] of Object.entries(configuration)) {
    await host.files.writeText(`${files.configuration}/${name}`, text, name === "lease" ? 0o755 : 0o644);
  }
  const programs = rulesOf(inside).map(({ program }) => program);
  await bringPrograms(host, programs, `${files.configuration}/programs`);
  await host.processes.must({
    argv: ["tar", "--owner=0", "--group=0", "-C", files.configuration, "-cf", files.configurationDisk, "."],
  });
  const { disk } = machineForm(workspace.rootfs(domain), domain.limits.diskBytes);
  await host.processes.must({
    argv: ["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", disk, files.disk],
  });
}

/** @throws LabError for less than a guest needs to come up */
export function requireEnoughMemory({ name, limits }: DomainPlan): void {
  if (limits.memoryBytes >= LEAST_MEMORY_BYTES) return;
  throw new LabError(
    `domains.${name}.memory: ${Math.floor(limits.memoryBytes / 2 ** 20)}M is less than the kernel of a virtual machine needs`,
    { hint: `write ${LEAST_MEMORY_BYTES / 2 ** 20}M or more` },
  );
}

/** Gives a guest programs of this machine's, which need not be in its image, with the libraries that they are linked to. */
async function bringPrograms(host: Host, names: readonly string[], directory: string): Promise<void> {
  if (names.length === 0) return;
  await host.files.makeDirectory(directory);
  await host.processes.must({ argv: ["sh", "-euc", BRING, "bring", directory, ...names] });
}

const BRING = String.raw`
directory=$1
shift
for name; do
  program=$(command -v "$name")
  cp -L "$program" "$directory/$name"
  ldd "$program" | sed -n 's|.*[[:space:]]\(/[^ ]*\) (0x.*|\1|p' | while read -r library; do
    case $library in
      */ld-linux*) cp -L "$library" "$directory/loader" ;;
      *) cp -L "$library" "$directory/" ;;
    esac
  done
done
`;
