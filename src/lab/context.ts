import type { Host } from "../host/host.ts";
import type { NamedImage } from "../model/named-image.ts";
import type { PlatformName } from "../model/lab.ts";
import type { DomainPlan, LabPart, LabPlan } from "../model/plan.ts";
import type { Platform, Workspace } from "../platforms/platform.ts";
import { ExitCode, LabError } from "../model/error.ts";
import { labNames } from "./inventory.ts";
import { openJournal } from "./journal.ts";
import { changingFile, labCgroup, labDirectory, planFile, type Paths } from "./paths.ts";

interface WebServerOptions {
  namespace: string;
  cgroup: string;
  cpus: number[];
  nice: number;
  address: string;
  port: number;
  /** Body of every answer. */
  text: string;
  logFile: string;
}

/** What everything that handles labs needs: the machine, the folders, the platforms that there are. */
export interface LabContext {
  host: Host;
  paths: Paths;
  platforms: Record<PlatformName, Platform>;
  /** This process. */
  pid: number;
  /** Starts the web server of a machine on the company LAN; it outlives this process. */
  startWebServer(host: Host, options: WebServerOptions): Promise<{ listening: Promise<void> }>;
}

/** Folder of a domain's root file system, by the name of its image. */
export type RootFileSystems = Record<string, string>;

/** The workspace that platforms work in. `roots` may be empty when nothing is prepared. */
export function workspaceOf(context: LabContext, lab: string, roots: RootFileSystems = {}): Workspace {
  const journal = openJournal(context.host, context.paths, lab, context.pid);
  return {
    directory: labDirectory(context.paths, lab),
    cgroup: labCgroup(lab),
    rootfs(domain: DomainPlan) {
      const root = roots[domain.image];
      if (root === undefined)
        throw new LabError(`the image ${domain.image} of domain ${domain.name} has not been built`);
      return root;
    },
    record: (undos) => journal.record(undos),
  };
}

/** What a plan was made of. */
export interface LabSource {
  /** The lab file's. */
  text: string;
  /** Images of the machine that the file names. */
  images: Record<string, NamedImage>;
  /** Only these domains of the lab are here, which was made at another machine. Absent: it is its own. */
  part?: LabPart & { of: string };
}

/** A lab as it was last brought up to the end. */
export interface StoredLab {
  plan: LabPlan;
  roots: RootFileSystems;
  /** Absent: no file of the user's. */
  source?: LabSource;
  /**
   * Domains that a command was changing, or is: what runs under these names may be as this plan says, as a later one said,
   * or not at all; and the network may be on the way from one to the other. null: nothing has begun since.
   */
  unsettled: string[] | null;
}

/** Counts up when a plan means something else than before: a lab of another version of Cloison is not understood. */
const FORMAT = 3;

/** null: there is no such lab, or it was never brought up to the end. */
export async function readStoredLab({ host, paths }: LabContext, lab: string): Promise<StoredLab | null> {
  const text = await host.files.readTextIfExists(planFile(paths, lab));
  const written = text === null ? null : parseWhole<Omit<StoredLab, "unsettled"> & { format?: number }>(text);
  if (written?.format !== FORMAT) return null;
  const { format: _, ...stored } = written;
  const changing = await host.files.readTextIfExists(changingFile(paths, lab));
  return { ...stored, unsettled: changing === null ? null : (parseWhole<string[]>(changing) ?? []) };
}

/** null: a power cut has left a part of it, or nothing. */
function parseWhole<T>(text: string): T | null {
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/**
 * Says that a stored lab is being changed, before the first change: whoever comes after a crash must not take for right what
 * has the right name.
 */
export async function beginChange({ host, paths }: LabContext, lab: string, unsettled: string[]): Promise<void> {
  const file = changingFile(paths, lab);
  await host.files.writeText(`${file}.new`, JSON.stringify(unsettled));
  await host.files.rename(`${file}.new`, file);
}

/**
 * Puts a lab's new plan beside the old one, while the lab is still being changed. Nothing of this is synced: a process that
 * dies leaves it whole, and a power cut ends what it speaks of, so that the lab has to be made anew in any case.
 * @param open domains that are not as it says, and stay unsettled
 * @returns what puts it in the old one's place, and says that the change is complete
 */
export async function stageLab(
  context: LabContext,
  stored: Omit<StoredLab, "unsettled">,
  open: string[] = [],
): Promise<() => Promise<void>> {
  const { host, paths } = context;
  const { lab } = stored.plan;
  const file = planFile(paths, lab);
  await host.files.writeText(`${file}.next`, JSON.stringify({ format: FORMAT, ...stored }));
  return async () => {
    await host.files.rename(`${file}.next`, file);
    if (open.length > 0) return beginChange(context, lab, open);
    await host.files.remove(changingFile(paths, lab));
  };
}

/** As `readStoredLab`; throws a LabError that says which labs there are. */
export async function requireStoredLab(context: LabContext, lab: string): Promise<StoredLab> {
  const names = await labNames(context);
  // A name that is none of them may be no name at all, but a path.
  const stored = names.includes(lab) ? await readStoredLab(context, lab) : null;
  if (stored !== null) return stored;
  if (names.includes(lab)) {
    throw new LabError(`lab ${lab} is incomplete: an up is at work, or was cut off`, {
      hint: `cloison up FILE completes it, cloison down ${lab} removes it`,
    });
  }
  throw new LabError(`there is no lab ${lab}`, {
    hint: names.length === 0 ? "cloison up FILE makes one" : `there is ${names.join(", ")}`,
    exit: ExitCode.usage,
  });
}
