import type { Host } from "../../host/host.ts";
import { LabError } from "../../model/error.ts";
import type { Pausing, Power, Workspace } from "../platform.ts";
import { guestPaths } from "./guest-paths.ts";
import { askMonitor, type MonitorCommand } from "./monitor.ts";

const POLL_MS = 50;
const KILL_DEADLINE_MS = 20_000;

/** By QEMU's monitor; a guest's own clock stands still, too. */
export const pausing: Pausing = {
  async pause(host, workspace, name) {
    await ask(host, workspace, name, { execute: "stop" });
  },

  async resume(host, workspace, name) {
    await ask(host, workspace, name, { execute: "cont" });
  },
};

/** What QEMU's monitor can do with a guest beyond that. */
export const power: Power = {
  async shutdown(host, workspace, name, deadlineMs) {
    const group = `${workspace.cgroup}/${name}`;
    await ask(host, workspace, name, { execute: "query-status" });
    // Before it goes: whoever watches it must not take that for a death.
    await host.files.writeText(guestPaths(workspace, name).shutDown, "");
    await ask(host, workspace, name, { execute: "system_powerdown" });
    const deadline = host.clock.monotonicMs() + deadlineMs;
    while (host.clock.monotonicMs() < deadline) {
      if ((await host.cgroups.pids(group)).length === 0) return "by itself";
      await host.clock.sleep(POLL_MS);
    }
    await host.cgroups.destroy(group, KILL_DEADLINE_MS);
    return "by force";
  },

  async statistics(host, workspace, name) {
    return parseDisks(await ask(host, workspace, name, { execute: "query-blockstats" }));
  },
};

async function ask(host: Host, workspace: Workspace, name: string, command: MonitorCommand): Promise<unknown> {
  const answers = await askMonitor(host, guestPaths(workspace, name), [command]);
  if (answers !== null) return answers[0];
  throw new LabError(`domain ${name} does not run`, { hint: "`cloison ps` says what ended it" });
}

/** Reads the answer of query-blockstats: the disk that the domain writes. */
export function parseDisks(answer: unknown): Awaited<ReturnType<Power["statistics"]>> {
  const list: unknown[] = Array.isArray(answer) ? answer : [];
  const root = list.map(fieldsOf).find(({ device }) => device === "root");
  const stats = fieldsOf(root?.["stats"]);
  const count = (key: string) => (typeof stats[key] === "number" ? stats[key] : null);
  return {
    diskReadBytes: count("rd_bytes"),
    diskWrittenBytes: count("wr_bytes"),
    diskReads: count("rd_operations"),
    diskWrites: count("wr_operations"),
  };
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
