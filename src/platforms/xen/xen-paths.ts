import { createHash } from "node:crypto";
import type { AgentLines } from "../guest/agent-lines.ts";
import { guestFiles, socketsOf, type GuestFiles } from "../guest/guest-files.ts";
import type { Workspace } from "../platform.ts";

/** Sockets and names of scripts; gone with a reboot, as domains are. Xen's tools take no path with a comma. */
const RUN = "/run/cloison/xen";

/** Linux has eight consoles of this kind: the first, three for each program, and a terminal. */
const SLOTS = 2;
const TERMINALS = ["/dev/hvc7"];

/** Files and names of one domain of Xen. */
export interface XenPaths extends GuestFiles {
  /** What xl is told. */
  xl: string;
  /** Is there once its user has shut it down. */
  shutDown: string;
  /** What its memory was, of a snapshot, until it goes on from there. */
  memory: string;
  /** Of the domain, for whoever reads `xl list`. */
  domain: string;
  /** What the domain is found again by: another one may not have it, and it stays when its number changes. */
  uuid: string;
  lines: AgentLines;
  /** The script that puts a vif into its place, as xl is told of it: a link to the file, as Debian runs nothing from /run (noexec). */
  vifScript(vif: string): string;
  /** What that links to, in the domain's folder. */
  vifScriptFile(vif: string): string;
}

export function xenPaths(workspace: Pick<Workspace, "directory" | "cgroup">, name: string): XenPaths {
  const files = guestFiles(workspace, name, RUN);
  const lab = workspace.cgroup.slice(workspace.cgroup.lastIndexOf("/") + 1);
  return {
    ...files,
    xl: `${files.directory}/xl.cfg`,
    shutDown: `${files.directory}/shut-down`,
    memory: `${files.directory}/memory`,
    domain: `cloison.${lab}.${name}`,
    uuid: uuidOf(`cloison domain ${lab}/${name}`),
    lines: { sockets: files.sockets, slots: SLOTS, terminals: TERMINALS, bell: null },
    vifScript: (vif) => `${files.sockets}/${vif}`,
    vifScriptFile: (vif) => `${files.directory}/vifs/${vif}`,
  };
}

/** Where the sockets of a lab's domains are. */
export function labSockets(workspace: Workspace): string {
  return socketsOf(workspace, RUN);
}

/** The same for the same words (RFC 9562, version 8). */
function uuidOf(words: string): string {
  const hex = createHash("sha256").update(words).digest("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    "-",
  );
}
