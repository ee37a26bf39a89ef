import type { Snapshots } from "../platform.ts";
import { prepareGuestFiles } from "../guest/prepare-files.ts";
import { findDomain } from "./toolstack.ts";
import { xenPaths } from "./xen-paths.ts";

const DISK = "disk.qcow2";
const MEMORY = "memory";
const CONSOLE = "console";

/** Copies without the holes. */
const COPY = 'cp --sparse=always "$disk" "$directory/disk.qcow2"; cp "$console" "$directory/console"';

/**
 * Keeps a domain's memory, and what it wrote while it stands still: QEMU first writes down what it holds of the disk. It goes on
 * in any case, also when this is ended in the middle.
 */
const SAVE = `id=$1 was=$2 directory=$3 disk=$4 console=$5
on() {
  xl qemu-monitor-command "$id" cont
  [ "$was" = paused ] || xl unpause "$id"
}
trap on EXIT
trap 'exit 143' TERM INT HUP
xl save -p "$id" "$directory/memory"
xl qemu-monitor-command "$id" stop
${COPY}`;

/** What is a domain's own is what it wrote over its image's disk; and its memory, while it runs. */
export const xenSnapshots: Snapshots = {
  packages: ["qemu-utils"],

  async save(host, workspace, _plan, { name }, directory, { memory, signal }) {
    const paths = xenPaths(workspace, name);
    const found = await findDomain(host, paths.uuid);
    const files = [directory, paths.disk, paths.console];
    const runs = found !== null && found.state !== "ended";
    const argv: [string, ...string[]] = runs
      ? ["sh", "-euc", SAVE, "save", `${found.id}`, found.state, ...files]
      : ["sh", "-euc", `directory=$1 disk=$2 console=$3; ${COPY}`, "save", ...files];
    await host.processes.must({ argv, ...(signal === undefined ? {} : { signal }) });
    if (runs && !memory) await host.files.remove(`${directory}/${MEMORY}`);
    return { memory: runs && memory };
  },

  /** With its memory, it goes on where that was left when it is started; its console's file says what was said until then. */
  async prepare(host, workspace, plan, domain, directory, { memory }) {
    const paths = xenPaths(workspace, domain.name);
    await prepareGuestFiles(host, workspace, plan, domain, paths);
    const copies = [[DISK, paths.disk], [CONSOLE, paths.console], ...(memory ? [[MEMORY, paths.memory]] : [])];
    for (const [from = "", to = ""] of copies) {
      await host.processes.must({ argv: ["cp", "--sparse=always", `${directory}/${from}`, to] });
    }
  },
};
