import { resolve } from "node:path";
import type { Host } from "../src/host/host.ts";
import { defaultPaths, labDirectory } from "../src/lab/paths.ts";
import { ExitCode, LabError } from "../src/model/error.ts";
import type { LabPlan } from "../src/model/plan.ts";

/** The launcher: `npm run bench` runs in the repository's root. */
const CLOISON = resolve("cloison");

/** One lab of examples/ through the command line, as a user would. */
export class CloisonLab {
  readonly name: string;
  readonly #host: Host;

  constructor(host: Host, name: string) {
    this.#host = host;
    this.name = name;
  }

  /** Folder of its domains, while it is up. */
  get domains(): string {
    return `${labDirectory(defaultPaths(process.env), this.name)}/domains`;
  }

  async up(): Promise<void> {
    await this.#host.processes.must({ argv: [CLOISON, "up", `examples/${this.name}/lab.yaml`] });
  }

  /** Brings it up and returns the plan that it follows. */
  async upWithPlan(): Promise<LabPlan> {
    const answer = await this.#host.processes.must({
      argv: [CLOISON, "--json", "up", `examples/${this.name}/lab.yaml`],
    });
    return JSON.parse(answer) as LabPlan;
  }

  async down(): Promise<void> {
    await this.#host.processes.must({ argv: [CLOISON, "down", this.name] });
  }

  /** Throws when somebody uses the lab: its coming and going would be measured, and end it. */
  async requireAbsent(): Promise<void> {
    const answer = await this.#host.processes.must({ argv: [CLOISON, "--json", "ls"] });
    if ((JSON.parse(answer) as { lab: string }[]).some(({ lab }) => lab === this.name)) {
      throw new LabError(`lab ${this.name} is there already, and the bench would remove it`, {
        hint: `cloison down ${this.name}`,
        exit: ExitCode.busy,
      });
    }
  }

  /** Throws unless so many of its domains run. */
  async requireRunning(count: number): Promise<void> {
    const answer = await this.#host.processes.must({ argv: [CLOISON, "--json", "ps", this.name] });
    const running = (JSON.parse(answer) as { state: string }[]).filter(({ state }) => state === "running").length;
    if (running !== count) throw new LabError(`${running} domains of ${this.name} run, not ${count}`);
  }
}

/** Seconds of a command that does nothing: the launcher's and Node's start. */
export async function startSeconds(host: Host): Promise<number> {
  const start = performance.now();
  await host.processes.must({ argv: [CLOISON, "--version"] });
  return (performance.now() - start) / 1000;
}
