import { isDeepStrictEqual } from "node:util";
import type { Host } from "../host/host.ts";
import { LabError } from "../model/error.ts";
import type { LabPlan } from "../model/plan.ts";
import type { Environment } from "../model/result.ts";

/** Programs whose versions a reader may want to know; each with the argument that makes it say so. */
const TOOLS: Record<string, string> = { runc: "--version", mmdebstrap: "--version", dnsmasq: "--version", ip: "-V" };

/** Images by name: their key, and the packages with versions. */
export type ImageFacts = Record<string, { key: string; packages: Record<string, string> }>;

/** What a reader must know of the machine to judge the figures, and to compare them with others. */
export async function readEnvironment(
  host: Host,
  version: string,
  plans: LabPlan[],
  images: ImageFacts,
  processVersions: { node: string },
  variants: Environment["variants"],
): Promise<Environment> {
  const [cpuInfo, memInfo, release, kernel] = await Promise.all([
    host.files.readText("/proc/cpuinfo"),
    host.files.readText("/proc/meminfo"),
    host.files.readText("/etc/os-release"),
    host.files.readText("/proc/sys/kernel/osrelease"),
  ]);
  const plan = plans[0];
  if (plan === undefined) throw new Error("an experiment has at least one platform");
  return {
    cloison: version,
    node: processVersions.node,
    kernel: kernel.trim(),
    distribution: /^PRETTY_NAME="?([^"\n]*)/m.exec(release)?.[1] ?? "unknown",
    cpu: /^model name\s*:\s*(.*)$/m.exec(cpuInfo)?.[1] ?? "unknown",
    cpus: host.machine.cpus.length,
    memoryBytes: Number(/^MemTotal:\s*(\d+) kB/m.exec(memInfo)?.[1] ?? 0) * 1024,
    cgroupVersion: host.cgroups.version,
    tools: await toolVersions(host),
    placement: plan.placement,
    images,
    limits: Object.fromEntries(
      plans.flatMap(({ platform, domains }) =>
        domains.map(({ name, limits }) => [`${platform}/${name}`, { ...limits }]),
      ),
    ),
    variants,
    workers: Object.fromEntries(
      plans.flatMap(({ platform, domains }) =>
        domains.filter(({ workers }) => workers > 0).map(({ name, workers }) => [`${platform}/${name}`, workers]),
      ),
    ),
  };
}

/**
 * What of the machine is another than when a run was begun, so that figures of before and after can't be put together.
 * Memory is left out: what the kernel keeps for itself differs from boot to boot.
 */
export function environmentChanges(before: Environment, now: Environment): string[] {
  const keys = Object.keys(now) as (keyof Environment)[];
  return keys
    .filter((key) => key !== "memoryBytes" && !isDeepStrictEqual(before[key], asStored(now[key])))
    .map((key) => {
      const is = now[key];
      return typeof is === "object"
        ? `other ${key}`
        : `${key} ${JSON.stringify(before[key])}, now ${JSON.stringify(is)}`;
    });
}

/** As it is read back: without what is undefined. */
function asStored(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

/** Of those that are installed; a platform may do without. */
async function toolVersions(host: Host): Promise<Record<string, string>> {
  const versions: Record<string, string> = {};
  await Promise.all(
    Object.entries(TOOLS).map(async ([tool, argument]) => {
      const version = await toolVersion(host, tool, argument);
      if (version !== null) versions[tool] = version;
    }),
  );
  return Object.fromEntries(Object.entries(versions).toSorted(([a], [b]) => a.localeCompare(b)));
}

async function toolVersion(host: Host, tool: string, argument: string): Promise<string | null> {
  try {
    const { stdout, stderr } = await host.processes.run({ argv: [tool, argument], timeoutMs: 5000 });
    return (stdout || stderr).split("\n")[0]?.trim() ?? "";
  } catch (error) {
    if (error instanceof LabError) return null;
    throw error;
  }
}
