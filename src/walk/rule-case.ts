import type { Answer } from "../model/reachability.ts";
import type { Wiring } from "./fixture.ts";
import type { WalkOptions } from "./walk.ts";

/** A network in which one rule of the walk matters. */
export interface RuleCase {
  /** Why the rule matters here. */
  about: string;
  wiring: () => Wiring;
  ask: [from: string, address: string, how?: string, options?: WalkOptions];
  /** What is looked at of the answer; default: whether it is reachable, or the cause of its stop. */
  look?: (answer: Answer) => unknown;
  followed: unknown;
  ignored: unknown;
}
