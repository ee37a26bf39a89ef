import type { Host } from "../../host/host.ts";
import { LabError } from "../../model/error.ts";
import type { Pausing, Workspace } from "../platform.ts";
import { runtimeRoot } from "./domain-paths.ts";
import { containerStates } from "./runtime.ts";

/** By the freezer of a domain's control group, which runc knows in both versions. What is frozen uses no CPU, and keeps its memory. */
export const pausing: Pausing = {
  pause: (host, workspace, name) => set(host, workspace, name, "pause", "paused"),
  resume: (host, workspace, name) => set(host, workspace, name, "resume", "running"),
};

async function set(
  host: Host,
  { cgroup }: Workspace,
  name: string,
  command: "pause" | "resume",
  wanted: "paused" | "running",
): Promise<void> {
  const lab = cgroup.slice(cgroup.lastIndexOf("/") + 1);
  const state = (await containerStates(host, lab)).find(({ id }) => id === name);
  if (state?.status === wanted) return;
  if (state?.status !== "running" && state?.status !== "paused") {
    throw new LabError(`domain ${name} does not run`, { hint: "cloison up brings it up again" });
  }
  await host.processes.must({ argv: ["runc", "--root", runtimeRoot(lab), command, name] });
}
