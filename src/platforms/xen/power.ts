import type { Host } from "../../host/host.ts";
import type { Pausing, Power, Workspace } from "../platform.ts";
import { endDomain, findDomain, requireDomain, xl } from "./toolstack.ts";
import { xenPaths } from "./xen-paths.ts";

const POLL_MS = 200;

/** Xen gives it no more CPU time. */
export const pausing: Pausing = {
  async pause(host, workspace, name) {
    await command(host, workspace, name, "pause");
  },

  async resume(host, workspace, name) {
    await command(host, workspace, name, "unpause");
  },
};

/** What Xen can do with a domain beyond that. */
export const power: Power = {
  async shutdown(host, workspace, name, deadlineMs) {
    const { uuid, shutDown } = xenPaths(workspace, name);
    const { id } = await requireDomain(host, name, uuid);
    // Before it goes: whoever watches it must not take that for a death.
    await host.files.writeText(shutDown, "");
    await xl(host, ["shutdown", `${id}`]);
    const deadline = host.clock.monotonicMs() + deadlineMs;
    for (;;) {
      const found = await findDomain(host, uuid);
      if (found === null || found.state === "ended") return "by itself";
      if (host.clock.monotonicMs() < deadline) await host.clock.sleep(POLL_MS);
      else {
        await endDomain(host, uuid);
        return "by force";
      }
    }
  },

  async statistics(host, workspace, name) {
    const { id } = await requireDomain(host, name, xenPaths(workspace, name).uuid);
    return parseDisks(await xl(host, ["qemu-monitor-command", `${id}`, "info blockstats"]));
  },
};

async function command(host: Host, workspace: Workspace, name: string, verb: string): Promise<void> {
  const { id } = await requireDomain(host, name, xenPaths(workspace, name).uuid);
  await xl(host, [verb, `${id}`]);
}

/** Reads what QEMU's monitor says to `info blockstats`: a line for each disk, the domain's own first. */
export function parseDisks(text: string): Awaited<ReturnType<Power["statistics"]>> {
  const line = text.split("\n").find((one) => one.includes("rd_bytes=")) ?? "";
  const count = (key: string) => {
    const value = new RegExp(`\\b${key}=(\\d+)`).exec(line)?.[1];
    return value === undefined ? null : Number(value);
  };
  return {
    diskReadBytes: count("rd_bytes"),
    diskWrittenBytes: count("wr_bytes"),
    diskReads: count("rd_operations"),
    diskWrites: count("wr_operations"),
  };
}
