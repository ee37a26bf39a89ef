import type { LabSource } from "../../lab/context.ts";
import { type ExitCode, LabError } from "../../model/error.ts";
import type { PlatformName } from "../../model/lab.ts";
import type { MovedDomain } from "../../platforms/platform.ts";
import type { Connection } from "../../remote/connection.ts";
import type { AppContext } from "../context.ts";
import { reach } from "../remote/forward.ts";

/** What a host is told of a domain that is to come there. */
export interface Parcel {
  /** Of the lab file, without what is nobody's but the main host's. */
  source: Pick<LabSource, "text" | "images">;
  platform: PlatformName;
  domain: string;
  /** Of its image. */
  imageKey: string;
  moved: MovedDomain;
  /** The machine that it comes from. */
  from: string;
}

/** What is asked of a host about the part of a lab that it has; `cloison part` is what answers there. */
export interface PartQuestions {
  /** Whether it can come. */
  check: Parcel;
  /** Makes it, to wait. Of one that comes as a layer: where that is to be put. */
  receive: Parcel;
  /** Whether it runs, or comes to, of what has come; nothing waits any more. */
  arrive: { domain: string; from: string };
  /** It comes no more, or has gone. */
  leave: { domain: string; from: string };
  /** The whole part goes. */
  down: { from: string };
}
export interface PartAnswers {
  check: null;
  receive: Record<string, string>;
  arrive: { runs: boolean };
  leave: null;
  down: null;
}

/** Another host, and the Cloison there. */
export interface PartHost {
  connection: Connection;
  ask<Q extends keyof PartQuestions>(what: Q, lab: string, question: PartQuestions[Q]): Promise<PartAnswers[Q]>;
}

/** @throws LabError when it cannot be reached */
export async function reachHost(app: AppContext, address: string, signal?: AbortSignal): Promise<PartHost> {
  const given = signal === undefined ? {} : { signal };
  const { connection, installed } = await reach(app, address, { terminal: false, needsDatabase: false, ...given });
  return {
    connection,
    async ask(what, lab, question) {
      const line = [...installed.argv, "part", what, lab, "--json", "--host", "local"];
      const { code, stdout, stderr } = await connection.run('exec "$@"', line, {
        stdin: JSON.stringify(question),
        ...given,
      });
      if (code !== 0) throw refusal(address, stderr);
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the same program wrote it
      return JSON.parse(stdout) as PartAnswers[typeof what];
    },
  };
}

/** What Cloison there has said, in its last line. */
function refusal(address: string, said: string): LabError {
  const last = said.trim().split("\n").at(-1) ?? "";
  try {
    const { error, hint, exit } = JSON.parse(last) as { error: string; hint: string | null; exit: ExitCode };
    return new LabError(`${address}: ${error}`, { exit, ...(hint === null ? {} : { hint }) });
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return new LabError(`${address}: ${last || "the connection was lost"}`);
  }
}

/** What this machine is called. */
export async function machineName({ host }: AppContext): Promise<string> {
  return (await host.processes.must({ argv: ["uname", "-n"] })).trim();
}
