import type { Host } from "../../host/host.ts";
import type { AgentLines, Guest } from "../guest/agent-lines.ts";
import { guestFiles, socketsOf, type GuestFiles } from "../guest/guest-files.ts";
import type { Workspace } from "../platform.ts";
import { describeEnd } from "./guest-end.ts";

const RUN = "/run/cloison/qemu";

/** The guest's first console is the bell; the next are terminals. */
const TERMINALS = ["/dev/hvc1", "/dev/hvc2"];

/** Files of one guest of QEMU. */
export interface GuestPaths extends GuestFiles {
  /** What its services print. */
  log: string;
  /** What QEMU complains of. */
  emulatorLog: string;
  monitor: string;
  /** Is there while its user wants it not to run. */
  shutDown: string;
  /** With what was its memory, until it has been started with it. */
  memory: string;
  bell: string;
  lines: AgentLines;
}

export function guestPaths(workspace: Pick<Workspace, "directory" | "cgroup">, name: string): GuestPaths {
  const files = guestFiles(workspace, name, RUN);
  const bell = `${files.sockets}/bell`;
  return {
    ...files,
    log: `${files.output}/log`,
    emulatorLog: `${files.directory}/qemu.log`,
    monitor: `${files.sockets}/monitor`,
    shutDown: `${files.directory}/shut-down`,
    memory: `${files.directory}/memory.zst`,
    bell,
    lines: { sockets: files.sockets, slots: 6, terminals: TERMINALS, bell },
  };
}

/** Where the sockets of a lab's guests are. */
export function labSockets(workspace: Workspace): string {
  return socketsOf(workspace, RUN);
}

/** A guest, for whoever runs programs in it. */
export function guestOf(host: Host, workspace: Workspace, name: string): Guest {
  const paths = guestPaths(workspace, name);
  return { name, lines: paths.lines, describeEnd: () => describeEnd(host, paths) };
}
