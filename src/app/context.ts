import type { LabContext } from "../lab/context.ts";

/** What every verb needs. Made once, by compose.ts. */
export interface AppContext extends LabContext {
  version: string;
  /** Root folder of the project: examples/ is below it. */
  root: string;
  /** What runs this program. */
  node: { path: string; version: string };
  /** Of the user's shell. */
  workingDirectory: string;
  environment: NodeJS.ProcessEnv;
  /** Effective user is root. */
  isRoot: boolean;
  /** A random seed for an experiment that states none. */
  drawSeed(): number;
  /** How the user meant packages that are missing to be handled. */
  install: InstallPolicy;
  /** Says something to the user while a verb works. */
  say(line: string): void;
}

/** `ask`: on a terminal; `yes`: without asking; `never`. */
export type InstallPolicy =
  | { kind: "ask"; confirm(question: string): Promise<boolean> }
  | { kind: "yes" }
  | { kind: "never" };

/** Where an answer is printed. */
export interface Terminal {
  colour: boolean;
  /** In columns. */
  width: number;
}
