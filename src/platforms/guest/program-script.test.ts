import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { programScript } from "./program-script.ts";

/** As the guest's agent does it, by this machine's shell. */
function run(argv: string[], env?: Record<string, string>) {
  const { status, stdout, stderr } = spawnSync("/bin/sh", ["-s"], {
    input: programScript(argv, env),
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

test("a program is found by its name, and gets its arguments and environment as they are", () => {
  expect(run(["printf", "%s|", "it's", "a b", "", "$HOME", "*"])).toMatchObject({
    status: 0,
    stdout: "it's|a b||$HOME|*|",
  });
  expect(run(["sh", "-c", "echo $COLOUR; pwd; set | grep -c ^IFS"], { COLOUR: "dark red" }).stdout).toBe(
    "dark red\n/\n1\n",
  );
  expect(run(["/bin/sh", "-c", "exit 3"]).status).toBe(3);
});

test("one that is not there, or is no program, is told as a shell tells it", () => {
  expect(run(["no-such-program"])).toMatchObject({ status: 127, stderr: "no-such-program: not found\n" });
  expect(run(["/no/such/program"]).status).toBe(127);
  expect(run(["/etc/passwd"]).status).toBe(126);
  expect(() => run(["true"], { "A B": "" })).toThrow('"A B" is not the name');
});

test("a name is never taken for an applet of the shell's", () => {
  expect(programScript(["ip", "addr"])).toContain("exec \"$cloison_program\" 'addr'");
});
