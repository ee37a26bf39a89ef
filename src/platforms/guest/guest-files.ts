import type { Workspace } from "../platform.ts";

/** Files of one guest, whoever runs it. */
export interface GuestFiles {
  directory: string;
  /** What the guest is told: a folder, and the archive of it that it reads as a disk. */
  configuration: string;
  configurationDisk: string;
  /** What it writes, over its image's disk. */
  disk: string;
  /** A small file system of its own, so that a guest that talks without end fills nothing else. */
  output: string;
  /** Its first console: its kernel's messages and its init's. */
  console: string;
  /** Sockets; a folder with a short name, because the kernel takes 107 bytes. */
  sockets: string;
}

/** @param run folder of the platform's sockets */
export function guestFiles(workspace: Pick<Workspace, "directory" | "cgroup">, name: string, run: string): GuestFiles {
  const directory = `${workspace.directory}/domains/${name}`;
  const output = `${directory}/output`;
  return {
    directory,
    configuration: `${directory}/configuration`,
    configurationDisk: `${directory}/configuration.tar`,
    disk: `${directory}/disk.qcow2`,
    output,
    console: `${output}/console`,
    sockets: `${socketsOf(workspace, run)}/${name}`,
  };
}

/** Where the sockets of a lab's guests are. */
export function socketsOf({ cgroup }: Pick<Workspace, "cgroup">, run: string): string {
  return `${run}/${cgroup.slice(cgroup.lastIndexOf("/") + 1)}`;
}
