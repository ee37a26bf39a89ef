import type { Workspace } from "../platform.ts";

/** Files of one domain; its directory is the runtime's bundle. */
export interface DomainPaths {
  directory: string;
  config: string;
  /** Mount point of the overlay: what the domain sees as `/`. */
  root: string;
  /** Holds all that the domain writes; a file system of its own when its size is limited. */
  layer: string;
  upper: string;
  work: string;
  /** The file behind the layer's file system. */
  layerImage: string;
  /** In the layer, so that a service that talks without end fills its own layer and nobody else's. */
  log: string;
  /** What the runtime complained of. */
  runtimeLog: string;
  /** Is there while the runtime makes the container; when its starter died meanwhile, the runtime may still be at it. */
  starting: string;
}

export function domainPaths(workspace: Workspace, name: string): DomainPaths {
  const directory = `${workspace.directory}/domains/${name}`;
  return {
    directory,
    config: `${directory}/config.json`,
    root: `${directory}/root`,
    layer: `${directory}/layer`,
    upper: `${directory}/layer/upper`,
    work: `${directory}/layer/work`,
    layerImage: `${directory}/layer.img`,
    log: `${directory}/layer/log`,
    runtimeLog: `${directory}/runc.log`,
    starting: `${directory}/starting`,
  };
}

/** Where runc keeps the states of a lab's containers. */
export function runtimeRoot(lab: string): string {
  return `/run/cloison/runc/${lab}`;
}
