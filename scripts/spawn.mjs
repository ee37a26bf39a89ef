// Runs a program with a deadline and gives back what it printed. Plain Node.
import { spawn } from "node:child_process";

/** Set by Ctrl-C: what was to run after the program that it ended does not. */
let interrupted = false;

/**
 * Resolves with `{ ok, output, seconds, problem }`; `problem` says in a line why it is not ok. Output of both streams, in
 * the order it came; with `inherit` it goes straight through. At the deadline the process group gets SIGTERM, and
 * SIGKILL 20 s later.
 */
export function run(argv, { cwd, deadlineS = 600, inherit = false } = {}) {
  if (interrupted) return Promise.resolve({ ok: false, output: "", seconds: 0, problem: "interrupted" });
  const startedMs = performance.now();
  return new Promise((resolve) => {
    const [file, ...args] = argv;
    const stdio = ["ignore", inherit ? "inherit" : "pipe", inherit ? "inherit" : "pipe"];
    const env = process.stdout.isTTY ? process.env : { ...process.env, NO_COLOR: "1", FORCE_COLOR: "0" };
    const child = spawn(file, args, { cwd, env, stdio, detached: true });
    // Its own process group, so that a deadline reaches grandchildren; what ends us must then end it, too.
    const killGroup = (signal) => {
      try {
        process.kill(-child.pid, signal);
      } catch (error) {
        if (error.code !== "ESRCH") throw error;
      }
    };
    const passOn = (signal) => {
      interrupted = true;
      killGroup(signal);
    };
    process.on("SIGINT", passOn).on("SIGTERM", passOn);
    const chunks = [];
    child.stdout?.on("data", (chunk) => chunks.push(chunk));
    child.stderr?.on("data", (chunk) => chunks.push(chunk));
    let late = false;
    let lastResort;
    const deadline = setTimeout(() => {
      late = true;
      killGroup("SIGTERM");
      lastResort = setTimeout(() => killGroup("SIGKILL"), 20_000);
    }, deadlineS * 1000);
    const finish = (problem) => {
      clearTimeout(deadline);
      clearTimeout(lastResort);
      process.off("SIGINT", passOn).off("SIGTERM", passOn);
      const seconds = (performance.now() - startedMs) / 1000;
      resolve({ ok: problem === null, output: Buffer.concat(chunks).toString(), seconds, problem });
    };
    child.on("error", (error) => finish(error.code === "ENOENT" ? `there is no program ${file}` : error.message));
    child.on("close", (code, signal) => {
      if (late) finish(`did not end in ${deadlineS} s`);
      else finish(code === 0 ? null : (signal ?? `exit ${code}`));
    });
  });
}
