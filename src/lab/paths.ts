import { basename, dirname } from "node:path";

/** Where Cloison keeps things. Everything of a lab can be found from its name alone, also after a crash. */
export interface Paths {
  /** Labs, images and snapshots; survives a reboot. */
  state: string;
  /** Locks and run-time state; gone with a reboot. */
  run: string;
}

/** @param environment CLOISON_STATE moves the labs and images */
export function defaultPaths(environment: NodeJS.ProcessEnv): Paths {
  return {
    state: environment["CLOISON_STATE"] ?? "/var/lib/cloison",
    run: "/run/cloison",
  };
}

export const labsDirectory = (paths: Paths) => `${paths.state}/labs`;
export const labDirectory = (paths: Paths, lab: string) => `${labsDirectory(paths)}/${lab}`;
export const imageStore = (paths: Paths) => `${paths.state}/images`;
/** Key of an image, from its root file system: it lies in the store at `<key>/rootfs`. */
export const keyOfRoot = (root: string) => basename(dirname(root));
export const snapshotsDirectory = (paths: Paths) => `${paths.state}/snapshots`;
/** Where a backup of a lab is put together, or taken apart. */
export const backupDirectory = (paths: Paths, lab: string) => `${paths.state}/backups/${lab}`;
export const lockFile = (paths: Paths, lab: string) => `${paths.run}/locks/${lab}.lock`;
export const journalFile = (paths: Paths, lab: string) => `${labDirectory(paths, lab)}/journal`;
export const planFile = (paths: Paths, lab: string) => `${labDirectory(paths, lab)}/plan.json`;
/** Is there while a command changes a lab that was up, and after a crash of it. */
export const changingFile = (paths: Paths, lab: string) => `${labDirectory(paths, lab)}/changing.json`;
/** Says which domains of a lab are at other hosts. Not in its folder: it stays until nothing is left there. */
export const movesFile = (paths: Paths, lab: string) => `${movesDirectory(paths)}/${lab}.json`;
export const movesDirectory = (paths: Paths) => `${paths.state}/moves`;
/** Fence commands that were shown to work. */
export const fencesDirectory = (paths: Paths) => `${paths.state}/fences`;
/** What was moved from a real interface that joined the lab's network of this position. */
export const uplinkFile = (paths: Paths, lab: string, lan: number) => `${labDirectory(paths, lab)}/uplink-${lan}.json`;
export const uplinkLock = (paths: Paths, lab: string, lan: number) => `${paths.run}/locks/${lab}.uplink-${lan}.lock`;
/** Control group of its watchdog: in no lab's, for no lab has such a name. */
export const uplinkCgroup = (lab: string, lan: number) => `cloison/_uplink/${lab}.${lan}`;
/** What the programs of the company LAN need. */
export const lanDirectory = (paths: Paths, lab: string) => `${labDirectory(paths, lab)}/lan`;
/** Says that a platform was tried with success. */
export const triedFile = (paths: Paths, platform: string) => `${paths.run}/tried/${platform}`;
/** Where a trial keeps what a lab keeps in its folder. */
export const trialDirectory = (paths: Paths, trial: string) => `${paths.run}/${trial}`;
/** Parent of every control group of a lab. */
export const labCgroup = (lab: string) => `cloison/${lab}`;
/** Parent of the control groups of a lab's LAN; no domain may have this name. */
export const lanCgroup = (lab: string) => `${labCgroup(lab)}/lan`;
/** Parent of the control groups of programs of the host itself; no domain may have this name. */
export const hostCgroup = (lab: string) => `${labCgroup(lab)}/host`;
/** Prefix of the names of a lab's namespaces. */
export const namespacePrefix = (lab: string) => `cloison.${lab}.`;
