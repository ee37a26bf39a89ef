import type { PlatformName } from "../../model/lab.ts";
import type { Layers, Snapshots } from "../platform.ts";
import { domainPaths, runtimeRoot } from "./domain-paths.ts";
import { prepareDomain } from "./prepare.ts";
import { containerStates } from "./runtime.ts";

/** Without what ties a layer to the very files of one machine's image: where an overlay copied a file from. */
const XATTRS = ["--xattrs", "--xattrs-include=*", "--xattrs-exclude=trusted.overlay.origin"];

const LAYER_FILE = "layer.tar.zst";

/** Runs the rest of its arguments while the container stands still, and lets it go on, also when it is ended meanwhile. */
const WHILE_PAUSED = `root=$1 name=$2; shift 2
trap 'runc --root "$root" resume "$name"' EXIT
trap 'exit 143' TERM INT HUP
runc --root "$root" pause "$name"
"$@"`;

/**
 * What is a container's own is its writable layer: new and changed files, and marks for those of the image that it deleted
 * (Documentation/filesystems/overlayfs.rst: whiteouts are character devices 0:0, replaced directories have an extended attribute).
 */
export function ociLayers(platform: PlatformName): Layers {
  return {
    packages: ["tar", "zstd", "runc"],

    async save(host, workspace, plan, domain, file, signal) {
      const { upper } = domainPaths(workspace, domain.name);
      const packing = ["--create", "--zstd", "--file", file, "--numeric-owner", "--sparse", "--acls", ...XATTRS];
      const copy: [string, ...string[]] = ["tar", ...packing, "--directory", upper, "."];
      const states = await containerStates(host, plan.lab);
      const runs = states.some(({ id, status }) => id === domain.name && status === "running");
      await host.processes.must({
        argv: runs ? ["sh", "-ec", WHILE_PAUSED, "sh", runtimeRoot(plan.lab), domain.name, ...copy] : copy,
        ...(signal === undefined ? {} : { signal }),
      });
    },

    prepare(host, workspace, plan, domain, file) {
      const asWas = ["--numeric-owner", "--same-owner", "--preserve-permissions", "--acls", ...XATTRS];
      const fill = async (upper: string) => {
        await host.processes.must({
          argv: ["tar", "--extract", "--zstd", "--file", file, ...asWas, "--directory", upper],
        });
      };
      return prepareDomain(host, workspace, plan, domain, platform, { fill });
    },
  };
}

/** A container's snapshot is its layer. */
export function ociSnapshots(platform: PlatformName): Snapshots {
  const { packages, save, prepare } = ociLayers(platform);
  return {
    packages,

    async save(host, workspace, plan, domain, directory, { signal }) {
      await save(host, workspace, plan, domain, `${directory}/${LAYER_FILE}`, signal);
      return { memory: false };
    },

    prepare: (host, workspace, plan, domain, directory) =>
      prepare(host, workspace, plan, domain, `${directory}/${LAYER_FILE}`),
  };
}
