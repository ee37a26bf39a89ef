import type { Host, Running } from "../host/host.ts";
import { LabError } from "../model/error.ts";
import { processEntry } from "./client-entry.ts";

/** How long the server may take to listen, on a busy machine. */
const START_MS = 30_000;
const POLL_MS = 20;

export interface ResponderOptions {
  namespace: string;
  cgroup: string;
  cpus: number[];
  nice: number;
  address: string;
  port: number;
  /** Body of every answer. */
  text: string;
  /** Where its output goes; emptied first. */
  logFile: string;
}

/**
 * Starts the web server of a machine on the company LAN: it answers every GET with the same text, and does nothing
 * else, so that what a probe of it feels is the machine, not the server. It outlives this process; its control group
 * ends it. Resolves once it is started; `listening` rejects with a LabError when it comes to nothing.
 */
export async function startResponder(host: Host, options: ResponderOptions): Promise<{ listening: Promise<void> }> {
  const { namespace, cgroup, cpus, nice, address, port, text, logFile } = options;
  await host.files.replaceText(logFile, "");
  const running = await host.processes.start(
    {
      argv: [process.execPath, ...processEntry("responder-process"), address, String(port), text],
      namespace,
      cgroup,
      cpus,
      nice,
      output: { file: logFile },
    },
    { detached: true },
  );
  return { listening: untilItListens(host, running, options) };
}

async function untilItListens(host: Host, running: Running, options: ResponderOptions): Promise<void> {
  const { namespace, address, port, logFile } = options;
  let ended = false;
  void running.exited.then(() => (ended = true));
  const deadline = host.clock.monotonicMs() + START_MS;
  for (;;) {
    // A lab that is being removed takes the log along.
    const said = (await host.files.readTextIfExists(logFile)) ?? "";
    if (said.includes("listening on ")) return;
    if (ended || host.clock.monotonicMs() > deadline) {
      if (!ended) running.kill("SIGKILL");
      throw new LabError(`the web server of ${namespace} does not listen on ${address}:${port}: ${said.trim()}`);
    }
    await host.clock.sleep(POLL_MS);
  }
}
