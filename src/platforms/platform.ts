import type { PlatformName } from "../model/lab.ts";
import type { DomainPlan, LabPlan } from "../model/plan.ts";
import type { ForeignKernel } from "../host/foreign-kernel.ts";
import type { Host } from "../host/host.ts";

/** The answer of a check that tried the thing. */
export type Support =
  | { available: true; detail: string; /** What its user has to know before anything is run. */ notice?: string }
  | Unavailable;

export interface Unavailable {
  available: false;
  reason: string;
  remedy: string;
}

export interface DomainState {
  lab: string;
  name: string;
  state: "running" | "paused" | "prepared" | "stopped";
  /** The context's first process, in the machine's numbering; null when none runs. */
  pid: number | null;
  /** Not in any plan that the caller knows of: left by a crash. */
  orphan: boolean;
  /** Of one that does not run: what ended or stopped it, if that is known. */
  detail?: string;
  /** Of one that does not run: its user has shut it down, and wants it so. */
  shutDown?: boolean;
}

/** How a program inside a domain is run. */
export interface ExecOptions {
  /** `stdout`: given away as it comes; stderr is captured. */
  output?: "capture" | "inherit" | { file: string } | { stdout: (chunk: Uint8Array) => void };
  stdin?: string;
  /** Gives the program a terminal; needs `inherit`. */
  terminal?: boolean;
  timeoutMs?: number;
  signal?: AbortSignal;
  /** Asks the program, and nothing that it has started, to end (SIGTERM). How it does is its own affair. */
  end?: AbortSignal;
  env?: Record<string, string>;
  user?: string;
}

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  timedOut: boolean;
}

/** What a step that is about to be taken would need undone. Written to the journal, and synced, before the step. */
export type Undo =
  | { kind: "namespace"; name: string }
  | { kind: "mount"; target: string }
  | { kind: "directory"; path: string }
  | { kind: "cgroup"; group: string }
  /** A real interface that joined the lab's network of this position. */
  | { kind: "uplink"; lan: number }
  | { kind: "domain"; platform: PlatformName; lab: string; name: string };

/** Where a platform finds and leaves things; paths are absolute. */
export interface Workspace {
  /** The lab's own folder (`<state>/labs/<lab>`); what is below `domains/<name>` is the platform's. */
  directory: string;
  /** Folder of the built root file system of a domain's image; read-only by convention. */
  rootfs(domain: DomainPlan): string;
  /** `cloison/<lab>` : parent of every control group of the lab. */
  cgroup: string;
  /** Records undo steps; returns when they are on the disk. Call before acting. */
  record(undos: Undo[]): Promise<void>;
}

/** Counters of a domain, read before and after a trial. null: this machine does not count it. */
export interface DomainUsage {
  cpuNs: number | null;
  memoryPeakBytes: number | null;
  oomKills: number | null;
  pidsPeak: number | null;
  /** CPU quota: enforced periods, periods throttled, time throttled. */
  nrPeriods: number | null;
  nrThrottled: number | null;
  throttledNs: number | null;
}

/**
 * What isolates domains. What a platform can do beyond this is a facet that it has or lacks; nothing elsewhere asks for its name.
 * The namespaces of a plan exist before `prepare`, and so do its vifs, but for those that domains bring along.
 */
export interface Platform {
  name: PlatformName;
  /** All domains of a lab become one context: the plan is made for the merged lab. */
  merges: boolean;
  /** Whether domains need a built root file system. */
  needsImages: boolean;
  /**
   * Domains are machines with kernels of their own: they boot from their images' machine forms, their vifs are taps in the
   * lab's host namespace, and what is inside is told to them and not set from outside. Default: no.
   */
  ownKernels?: boolean;
  /** Vifs come with a domain when it starts, in the lab's host namespace, and go with it. Default: they are there before. */
  bringsVifs?: boolean;
  /** Debian packages whose programs it runs. */
  packages: string[];
  /** Why no package could make it work here; null: one may. Default: null. */
  unfit?(host: Host): Promise<Unavailable | null>;
  /** Available or not, found by trying. */
  check(host: Host): Promise<Support>;
  /** From the kernel or the runtime, never from memory; orphans included. */
  list(host: Host, workspace: Workspace, plan: LabPlan): Promise<DomainState[]>;
  /** Root, limits and vifs are there; nothing runs yet. */
  prepare(host: Host, workspace: Workspace, plan: LabPlan, domain: DomainPlan): Promise<void>;
  start(host: Host, workspace: Workspace, plan: LabPlan, domain: DomainPlan): Promise<void>;
  /** Idempotent, from any state, also after a crash in the middle. */
  destroy(host: Host, workspace: Workspace, lab: string, name: string): Promise<void>;
  exec(
    host: Host,
    workspace: Workspace,
    plan: LabPlan,
    domain: DomainPlan,
    argv: [string, ...string[]],
    options?: ExecOptions,
  ): Promise<Exit>;
  /** Path of the file with what the domain's services print. */
  logFile(workspace: Workspace, name: string): string;
  usage(host: Host, workspace: Workspace, name: string): Promise<DomainUsage>;
  /** Facet: the kernel of a domain that has one of its own and runs. Its errors come with the first call. */
  kernel?(host: Host, workspace: Workspace, name: string): ForeignKernel;
  /** Facet: limits that can be changed under a domain. Default: it is made anew with others. */
  limiting?: Limiting;
  /** Facet: domains that can stand still. */
  pausing?: Pausing;
  /** Facet: domains that can be treated as machines. */
  power?: Power;
  /** Facet: what runs domains differs from machine to machine; a word for what does so here, as `tcg`. */
  variant?(host: Host, plan: LabPlan): Promise<string>;
  /** Facet: what is a domain's own can be kept, and put back. */
  snapshots?: Snapshots;
  /** Facet: domains can go to another host while they run. */
  moving?: Moving;
  /** Facet: domains can go to another host as a file, with their memory. Default: as a layer, where there is no memory to be kept. */
  packing?: Packing;
  /** Facet: what a domain has on its disk can be kept in a form that every platform with this facet understands. */
  layers?: Layers;
}

/** What the host that a domain is to go to has to know of it. */
export interface MovedDomain {
  /** Of its disk. */
  sizeBytes: number;
  /** That its disk will take there. */
  roomBytes: number;
  /** What has to be alike at both hosts; the platform's own. */
  traits: unknown;
}

/**
 * Moves a domain that runs. At one host it is received: it is made, and waits. At the other it is sent, and goes on until both
 * have all of it. Which of them has it is decided by the one that sends: at no moment do both run.
 */
export interface Moving {
  describe(host: Host, workspace: Workspace, plan: LabPlan, domain: DomainPlan): Promise<MovedDomain>;
  /** @throws LabError saying why such a domain cannot go on here; nothing was changed */
  requireFitting(
    host: Host,
    workspace: Workspace,
    plan: LabPlan,
    domain: DomainPlan,
    moved: MovedDomain,
  ): Promise<void>;
  /** As `prepare`, of a domain that is not there. */
  prepareToReceive(
    host: Host,
    workspace: Workspace,
    plan: LabPlan,
    domain: DomainPlan,
    moved: MovedDomain,
  ): Promise<void>;
  /** As `start`; afterwards it waits at its sockets. */
  receive(host: Host, workspace: Workspace, plan: LabPlan, domain: DomainPlan): Promise<void>;
  /** Unix sockets at which one that is received waits; the same where it is sent, for its platform's `user` to reach those. */
  sockets(workspace: Workspace, name: string): Record<string, string>;
  user: string;
  /**
   * Sends a domain to the sockets; returns when all was sent, and it runs here no more. When this process is killed before
   * `onSwitching` has ended, the domain goes on here by itself.
   * @throws LabError when it was not sent; then `settle` decides
   */
  send(host: Host, workspace: Workspace, plan: LabPlan, domain: DomainPlan, options: SendOptions): Promise<void>;
  /**
   * Ends a sending, wherever it was cut off: `here`: the domain goes on here, and nothing of the sending is left; `sent`: all
   * of it was sent, and it stands still here; `gone`: it does not run.
   */
  settle(host: Host, workspace: Workspace, plan: LabPlan, domain: DomainPlan): Promise<"here" | "sent" | "gone">;
  /** Lets one that was sent go on here. Its caller knows that it does not run there, and never will. */
  takeBack(host: Host, workspace: Workspace, plan: LabPlan, domain: DomainPlan): Promise<void>;
  /**
   * Of one that is received: ends the receiving when it runs. Where all was sent, it is waited for.
   * @returns false: it does not run, and where all was sent will not
   */
  arrive(
    host: Host,
    workspace: Workspace,
    plan: LabPlan,
    domain: DomainPlan,
    options: { isSent: boolean },
  ): Promise<boolean>;
}

/**
 * Moves a domain that runs as a file, which is all of it: it is stopped and packed at one host, and made of the file at the other,
 * where it is started.
 */
export interface Packing {
  /** Debian packages whose programs it runs. */
  packages: string[];
  describe: Moving["describe"];
  requireFitting: Moving["requireFitting"];
  /** Writes the file. Whatever comes of it, the domain stands still then, until it is resumed. */
  pack: Layers["save"];
  /** As `prepare`, of a domain that is not there; `start` lets it go on from where it stood. */
  prepare: Layers["prepare"];
}

export interface SendOptions {
  onProgress(text: string): void;
  /** Called when the domain stands still, and nothing is decided. From then on `settle` has to be asked. */
  onSwitching(): Promise<void>;
  signal?: AbortSignal | undefined;
}

/**
 * Keeps a domain's difference to its image as a layer: a tar archive, compressed by zstd, of what an overlay file system has
 * above the image (docs/backup.md).
 */
export interface Layers {
  /** Debian packages whose programs it runs. */
  packages: string[];
  /** Writes the file. A domain that runs stands still meanwhile, and goes on in any case. */
  save(
    host: Host,
    workspace: Workspace,
    plan: LabPlan,
    domain: DomainPlan,
    file: string,
    signal?: AbortSignal,
  ): Promise<void>;
  /** As `prepare`, of a domain that is not there, with the layer above its image. */
  prepare(host: Host, workspace: Workspace, plan: LabPlan, domain: DomainPlan, file: string): Promise<void>;
}

/** Keeps what is a domain's own, beside its image, in a directory. */
export interface Snapshots {
  /** Debian packages whose programs it runs. */
  packages: string[];
  /**
   * Fills the directory. A domain that runs stands still meanwhile, and goes on in any case.
   * @param options.memory where the platform can, and the domain runs
   * @returns whether its memory was kept
   */
  save(
    host: Host,
    workspace: Workspace,
    plan: LabPlan,
    domain: DomainPlan,
    directory: string,
    options: { memory: boolean; signal?: AbortSignal | undefined },
  ): Promise<{ memory: boolean }>;
  /** @throws LabError when what the directory keeps is not of such a domain. Default: on the same image it always is. */
  requireFitting?(
    host: Host,
    workspace: Workspace,
    plan: LabPlan,
    domain: DomainPlan,
    directory: string,
    options: { memory: boolean },
  ): Promise<void>;
  /**
   * As `prepare`, of a domain that is not there, with what the directory keeps instead of an image as it was built.
   * @param options.memory it goes on where its memory was left when it is started
   */
  prepare(
    host: Host,
    workspace: Workspace,
    plan: LabPlan,
    domain: DomainPlan,
    directory: string,
    options: { memory: boolean },
  ): Promise<void>;
}

/** Gives a domain that runs or is paused other limits; all else of it goes on as it was. */
export interface Limiting {
  /** Whether it can get these limits instead of those of `before`. */
  fits(host: Host, workspace: Workspace, before: DomainPlan, domain: DomainPlan): Promise<boolean>;
  /** Sets those that can be changed, whatever is set. @throws LabError when it uses more memory than it is to have, and cannot give it back */
  set(host: Host, workspace: Workspace, domain: DomainPlan): Promise<void>;
}

/** Stops a domain where it is, with all that is in its memory, and lets it go on. Throws a LabError for one that does not run. */
export interface Pausing {
  pause(host: Host, workspace: Workspace, name: string): Promise<void>;
  /** One that runs may be told to. */
  resume(host: Host, workspace: Workspace, name: string): Promise<void>;
}

/** What can be done with a machine besides starting and destroying it. Each throws a LabError for one that does not run. */
export interface Power {
  /** Presses its power button, and ends it when it has not gone after so long. Its disk stays until it is destroyed. */
  shutdown(host: Host, workspace: Workspace, name: string, deadlineMs: number): Promise<"by itself" | "by force">;
  /** Since it was started. null: not counted. */
  statistics(host: Host, workspace: Workspace, name: string): Promise<MachineStatistics>;
}

export interface MachineStatistics {
  diskReadBytes: number | null;
  diskWrittenBytes: number | null;
  diskReads: number | null;
  diskWrites: number | null;
}
