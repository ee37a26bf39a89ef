import type { Workspace } from "../platform.ts";

/** Inside, where the guest's init has put it; an image need not have any. */
export const BUSYBOX = "/run/cloison/bin/busybox";

/** Programs that can run in a guest at a time; each has a set of ports. */
export const SLOTS = 6;
/** How many of them may have a terminal. */
export const TERMINALS = 2;

/** Files of one guest. */
export interface GuestPaths {
  directory: string;
  /** What the guest is told: a folder, and the archive of it that it reads as a disk. */
  configuration: string;
  configurationDisk: string;
  /** What it writes, over its image's disk. */
  disk: string;
  /** A small file system of its own, so that a guest that talks without end fills nothing else. */
  output: string;
  /** What its services print. */
  log: string;
  /** Its first serial line: its kernel's messages and its init's. */
  console: string;
  /** What QEMU complains of. */
  emulatorLog: string;
  /** Sockets; a folder with a short name, because the kernel takes 107 bytes. */
  sockets: string;
  monitor: string;
  /** Where the number of a slot is told whose program is about to be run. */
  bell: string;
}

export function guestPaths(workspace: Workspace, name: string): GuestPaths {
  const directory = `${workspace.directory}/domains/${name}`;
  const output = `${directory}/output`;
  const sockets = `${socketsOf(workspace)}/${name}`;
  return {
    directory,
    configuration: `${directory}/configuration`,
    configurationDisk: `${directory}/configuration.tar`,
    disk: `${directory}/disk.qcow2`,
    output,
    log: `${output}/log`,
    console: `${output}/console`,
    emulatorLog: `${directory}/qemu.log`,
    sockets,
    monitor: `${sockets}/monitor`,
    bell: `${sockets}/bell`,
  };
}

/** Where the sockets of a lab's guests are. */
export function socketsOf({ cgroup }: Pick<Workspace, "cgroup">): string {
  return `/run/cloison/qemu/${cgroup.slice(cgroup.lastIndexOf("/") + 1)}`;
}

/** Sockets of what runs in one slot. */
export function slotSockets({ sockets }: GuestPaths, slot: number) {
  return {
    control: `${sockets}/control${slot}`,
    out: `${sockets}/out${slot}`,
    err: `${sockets}/err${slot}`,
    /** null: the slot has none. */
    terminal: slot < TERMINALS ? `${sockets}/terminal${slot}` : null,
    lock: `${sockets}/lock${slot}`,
  };
}
