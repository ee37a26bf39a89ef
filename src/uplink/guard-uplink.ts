import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Host } from "../host/host.ts";
import { LabError } from "../model/error.ts";
import { guardLog, type UplinkFiles } from "./uplink-record.ts";

/** How long the watchdog may take to be ready, on a busy machine. */
const START_MS = 30_000;
const POLL_MS = 20;
const END_MS = 5000;

/** Starts the watchdog of an uplink whose record is written. Resolves once it is ready. */
export async function startGuard(host: Host, files: UplinkFiles): Promise<void> {
  const log = guardLog(files);
  await host.files.replaceText(log, "");
  const guard = await host.processes.start(
    {
      argv: [process.execPath, ...guardEntry(), files.record, files.lock, files.cgroup],
      cgroup: files.cgroup,
      cwd: "/",
      output: { file: log },
    },
    { detached: true },
  );
  let ended = false;
  void guard.exited.then(() => (ended = true));
  const deadline = host.clock.monotonicMs() + START_MS;
  for (;;) {
    const said = (await host.files.readTextIfExists(log)) ?? "";
    if (said.startsWith("ready")) return;
    if (ended || host.clock.monotonicMs() > deadline) {
      if (!ended) guard.kill("SIGKILL");
      throw new LabError(`the watchdog of the uplink does not start: ${said.trim().split("\n").at(-1) ?? ""}`);
    }
    await host.clock.sleep(POLL_MS);
  }
}

/** Ends the watchdog and removes its control group. Idempotent. Not for the watchdog itself. */
export async function endGuard(host: Host, { cgroup }: UplinkFiles): Promise<void> {
  await host.cgroups.destroy(cgroup, END_MS);
}

/** Arguments for Node: the bundle beside this one, or in a source tree the TypeScript file, through tsx. */
function guardEntry(): string[] {
  const here = import.meta.url;
  if (!here.endsWith(".ts")) return [fileURLToPath(new URL("uplink-guard.mjs", here))];
  const loader = pathToFileURL(createRequire(here).resolve("tsx")).href;
  return ["--import", loader, fileURLToPath(new URL("guard-process.ts", here))];
}
