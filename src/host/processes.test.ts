import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { LabError } from "../model/error.ts";
import { createProcesses } from "./processes.ts";

const scratch = mkdtempSync(join(tmpdir(), "cloison-processes-"));
afterAll(() => rmSync(scratch, { recursive: true }));

const processes = createProcesses(
  { directories: () => [], ensure: async () => undefined },
  { path: (name) => `/run/netns/${name}` },
  { ...process.env, GIVEN: "from outside" },
);

/** Whether somebody runs under the pid; a zombie that waits for its parent does not. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch (error) {
    if (error instanceof Error && /ENOENT|ESRCH/.test(error.message)) return false;
    throw error;
  }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe("run", () => {
  test("captures both streams, and a failure is a result", async () => {
    const finished = await processes.run({ argv: ["sh", "-c", "echo out; echo err >&2; exit 3"] });
    expect(finished).toEqual({ code: 3, signal: null, stdout: "out\n", stderr: "err\n", timedOut: false });
  });

  test("hands on input, environment and directory", async () => {
    const { stdout } = await processes.run({
      argv: ["sh", "-c", 'cat; echo "$GIVEN, $MINE"; pwd'],
      stdin: "typed\n",
      env: { MINE: "mine" },
      cwd: "/usr",
    });
    expect(stdout).toBe("typed\nfrom outside, mine\n/usr\n");
  });

  test("a program that does not read its input is not an error", async () => {
    expect(await processes.run({ argv: ["true"], stdin: "x".repeat(1_000_000) })).toMatchObject({ code: 0 });
  });

  test("keeps the end of a long output", async () => {
    const { stdout } = await processes.run({ argv: ["sh", "-c", "head -c 20000000 /dev/zero | tr '\\0' a; echo end"] });
    expect(stdout.length).toBe(8 * 1024 * 1024);
    expect(stdout.endsWith("aend\n")).toBe(true);
  });

  test("writes to a file, after what is there", async () => {
    const file = join(scratch, "logs/out");
    const output = { file };
    await processes.run({ argv: ["echo", "one"], output });
    await processes.run({ argv: ["sh", "-c", "echo two >&2"], output });
    expect(readFileSync(file, "utf8")).toBe("one\ntwo\n");
  });

  test("a timeout ends grandchildren too", async () => {
    const file = join(scratch, "grandchild");
    const finished = await processes.run({
      argv: ["sh", "-c", `sh -c 'echo $$ >${file}; sleep 100; true' & wait`],
      timeoutMs: 300,
    });
    expect(finished).toMatchObject({ code: null, signal: "SIGKILL", timedOut: true });
    const grandchild = Number(readFileSync(file, "utf8"));
    await until(() => !isAlive(grandchild));
  });

  test("does not wait for what a program leaves behind with the pipe open", async () => {
    const finished = await processes.run({ argv: ["sh", "-c", "sleep 100 & echo $!"], timeoutMs: 60_000 });
    expect(finished).toMatchObject({ code: 0, timedOut: false });
    const left = Number(finished.stdout);
    expect(isAlive(left)).toBe(true);
    process.kill(left);
  });

  test("an abort ends the program and throws its reason", async () => {
    const controller = new AbortController();
    const file = join(scratch, "aborted");
    const running = processes.run({
      argv: ["sh", "-c", `trap 'echo cleaned >${file}; exit' TERM; echo $$ >${file}.pid; while :; do sleep 0.05; done`],
      signal: controller.signal,
    });
    const outcome = running.catch((error: unknown) => error);
    await until(() => hasText(`${file}.pid`));
    controller.abort(new Error("enough"));
    expect(await outcome).toMatchObject({ message: "enough" });
    expect(readFileSync(file, "utf8")).toBe("cleaned\n");
    await expect(processes.run({ argv: ["true"], signal: controller.signal })).rejects.toThrow("enough");
  });

  test("one signal serves many programs", async () => {
    const warnings: Error[] = [];
    const listen = (warning: Error) => void warnings.push(warning);
    process.on("warning", listen);
    const { signal } = new AbortController();
    await Promise.all(Array.from({ length: 15 }, () => processes.run({ argv: ["true"], signal })));
    process.off("warning", listen);
    expect(warnings).toEqual([]);
  });

  test("finds programs of administration without them in PATH", async () => {
    expect(await processes.run({ argv: ["ip", "-V"], env: { PATH: "/nowhere" } })).toMatchObject({ code: 0 });
  });
});

describe("must", () => {
  test("returns what was printed", async () => {
    expect(await processes.must({ argv: ["echo", "yes"] })).toBe("yes\n");
  });

  test("names the program, its end and its last words", async () => {
    const command = (script: string) => processes.must({ argv: ["sh", "-c", script], timeoutMs: 300 });
    await expect(command("seq 9 >&2; exit 3")).rejects.toThrow("sh -c seq 9 >&2; exit 3 ended with 3: 5\n6\n7\n8\n9");
    await expect(command("kill -9 $$")).rejects.toThrow("was ended by SIGKILL");
    await expect(command("sleep 100")).rejects.toThrow("did not end within 300 ms");
  });
});

describe("start", () => {
  test("a missing program or directory is an error with advice", async () => {
    const missing = await processes
      .start({ argv: ["cloison-no-such-program"], nice: 1 })
      .catch((error: unknown) => error);
    expect(missing).toBeInstanceOf(LabError);
    expect(missing).toMatchObject({ message: "cloison-no-such-program is not installed", exit: 3 });
    await expect(processes.run({ argv: [join(scratch, "none")] })).rejects.toThrow("is not installed");
    await expect(processes.run({ argv: ["true"], cwd: "/nowhere" })).rejects.toThrow(
      "/nowhere: there is no such directory",
    );
  });

  test("kill reaches the group; afterwards it reaches nobody", async () => {
    const running = await processes.start({ argv: ["sh", "-c", "sleep 100 & wait"] });
    running.kill("SIGINT");
    expect(await running.exited).toMatchObject({ code: null, signal: "SIGINT" });
    running.kill("SIGKILL");
  });

  test("sets priority and CPU", async () => {
    const cpu = Number((await processes.must({ argv: ["nproc", "--all"] })).trim()) - 1;
    const output = await processes.must({ argv: ["sh", "-c", "nice; taskset -cp $$"], nice: 7, cpus: [cpu] });
    expect(output).toMatch(new RegExp(`^7\n.*: ${cpu}\n$`));
  });

  test("the output of a program that ends while this process computes is read all the same", async () => {
    const late = await processes.start({ argv: ["sh", "-c", "sleep 0.4; echo late"] });
    // While the second lasts, the other ends; its end is told with this one's, and its output is read after the third.
    const blocksMs = [150, 600, 300];
    const block = () => {
      const untilMs = performance.now() + (blocksMs.shift() ?? 0);
      while (performance.now() < untilMs);
    };
    await processes.run({ argv: ["sh", "-c", "echo 1; sleep 0.05; echo 2"], output: { stdout: block } });
    block();
    expect(await late.exited).toMatchObject({ code: 0, stdout: "late\n" });
  });
});

function hasText(path: string): boolean {
  try {
    return readFileSync(path, "utf8") !== "";
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return false;
    throw error;
  }
}
