import { existsSync, readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import type { Trial } from "../src/model/result.ts";
import type { Ended, Sandbox } from "./sandbox.ts";

/** Trials that a run folder holds, judgements included, while its run is at work or after. */
export function trialsIn(folder: string): Trial[] {
  const file = `${folder}/trials.jsonl`;
  if (!existsSync(file)) return [];
  const text = readFileSync(file, "utf8");
  const lines = text.slice(0, text.lastIndexOf("\n") + 1).split("\n");
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as Trial);
}

/** Waits until it holds. @throws Error with what the program said when it has ended before */
export async function until(holds: () => boolean, ended: Promise<Ended>): Promise<void> {
  let over: Ended | null = null;
  const end = ended.then((how) => (over = how));
  while (!holds()) {
    if (over !== null) throw new Error(`it ended before: ${JSON.stringify(over)}`);
    await Promise.race([end, setTimeout(20)]);
  }
}

/** Pids in a control group of the sandbox and below, in the machine's numbering; optionally of one program only. */
export function pidsIn(sandbox: Sandbox, group: string, program = ""): number[] {
  const script = `
awk '$0 ~ / - cgroup2? / { print $5 }' /proc/self/mountinfo | sort -u | while read -r top; do
  find "$top/cloison/$1" -name cgroup.procs -exec cat {} + 2>/dev/null
done | sort -un | while read -r pid; do
  case "$(tr '\\0' ' ' <"/proc/$pid/cmdline")" in *"$2"*) echo "$pid" ;; esac
done`;
  const { stdout } = sandbox.run(["sh", "-c", script, "sh", group, program]);
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map(Number);
}
