import { resolve } from "node:path";
import type { Host } from "../src/host/host.ts";
import { defaultPaths, labDirectory } from "../src/lab/paths.ts";
import { ExitCode, LabError } from "../src/model/error.ts";
import type { LabPlan } from "../src/model/plan.ts";
import type { AtEnd } from "./at-end.ts";
import { seconds } from "./lab-cycle.ts";

/** The launcher: `npm run bench` runs in the repository's root. */
const CLOISON = resolve("cloison");

/** One lab through the command line, as a user would. */
export class CloisonLab {
  readonly name: string;
  readonly #host: Host;
  readonly #file: string;
  /** What is at work on it; a bench that is ended removes the lab when that has ended. */
  #working: { end: AbortController; ended: Promise<unknown> } | null = null;

  private constructor(host: Host, name: string, file: string) {
    this.#host = host;
    this.name = name;
    this.#file = file;
  }

  /**
   * A lab that is not there yet, and is gone at the end. Throws when somebody uses it: its coming and going would be measured.
   * @param file default: the one of that name in examples/
   */
  static async claim(host: Host, atEnd: AtEnd, name: string, file = `examples/${name}/lab.yaml`): Promise<CloisonLab> {
    const lab = new CloisonLab(host, name, file);
    await lab.#requireAbsent();
    atEnd.add(() => lab.down());
    return lab;
  }

  /** Folder of its domains, while it is up. */
  get domains(): string {
    return `${labDirectory(defaultPaths(process.env), this.name)}/domains`;
  }

  async up(): Promise<void> {
    await this.#work("up", this.#file);
  }

  /** Brings it, while it is up, to what another file says. */
  async apply(file: string): Promise<void> {
    await this.#work("apply", file);
  }

  /** Asks its every question by real packets. @returns how many there were, and how many answers were not as predicted */
  async verify(): Promise<{ questions: number; wrong: number }> {
    const { code, stdout, stderr } = await this.#host.processes.run({ argv: [CLOISON, "net", "verify", this.name] });
    const [, questions, wrong] =
      /([\d,]+) questions: .*; (?:all|the rest|([\d,]+) not) as predicted/.exec(stdout) ?? [];
    if (questions === undefined) throw new LabError(`${this.name} was not verified, ${code}: ${stderr}`);
    const number = (text: string) => Number(text.replaceAll(",", ""));
    return { questions: number(questions), wrong: number(wrong ?? "0") };
  }

  /** Brings it up and returns the plan that it follows. */
  async upWithPlan(): Promise<LabPlan> {
    return JSON.parse(await this.#work("--json", "up", this.#file)) as LabPlan;
  }

  async down(): Promise<void> {
    this.#working?.end.abort();
    await this.#working?.ended;
    await this.#host.processes.must({ argv: [CLOISON, "down", this.name] });
  }

  async #work(...words: string[]): Promise<string> {
    const end = new AbortController();
    const working = this.#host.processes.must({ argv: [CLOISON, ...words], signal: end.signal });
    this.#working = { end, ended: working.catch(() => undefined) };
    try {
      return await working;
    } finally {
      this.#working = null;
    }
  }

  async #requireAbsent(): Promise<void> {
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

/** Of a command that does nothing: the launcher's and Node's start, as `73 ms`. */
export async function startTime(host: Host): Promise<string> {
  const starts: number[] = [];
  for (let i = 0; i < 11; i++) {
    starts.push(await seconds(() => host.processes.must({ argv: [CLOISON, "--version"] })));
  }
  return `${Math.round(1000 * (starts.toSorted((a, b) => a - b)[5] ?? Number.NaN))} ms`;
}
