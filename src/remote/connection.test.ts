import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { createFakeHost } from "../host/fake.ts";
import { connect } from "./connection.ts";

const options = { directory: "/run/ssh", interactive: false };

describe("a connection", () => {
  test("words reach the script there as they are, through the login's shell", async () => {
    const connection = await connect(createFakeHost(), "ssh://root@lab1:2222", options);
    const argv = connection.argv('printf "%s|" "$@"', ["a b", "", "'", "$HOME", "-n", "x;y", "é"]);
    expect(argv.slice(-6, -1)).toEqual(["2222", "-l", "root", "--", "lab1"]);
    const { stdout } = spawnSync("sh", ["-c", argv.at(-1) ?? ""], { encoding: "utf8" });
    expect(stdout).toBe("a b||'|$HOME|-n|x;y|é|");
  });

  test("asks nothing where nobody can answer", async () => {
    const host = createFakeHost();
    await connect(host, "ssh://lab1", options);
    expect(host.records.join("\n")).toContain("BatchMode=yes");
  });

  test("lets go of what an earlier command has left before it joins sockets, at whichever end", async () => {
    const host = createFakeHost();
    const connection = await connect(host, "ssh://lab1", options);
    host.records.length = 0;
    const letGo = await connection.receive("/there", "/here");
    await letGo();
    await connection.forward("/here", "/there");
    const steps = host.records.map((line) => /-O .*(?= -- lab1)|rm -f.*|remove .*/.exec(line)?.[0]);
    expect(steps).toEqual([
      "-O cancel -R /there:/here",
      expect.stringMatching(/rm -f .*\/there/),
      "-O forward -R /there:/here",
      "-O cancel -R /there:/here",
      expect.stringMatching(/rm -f .*\/there/),
      "-O cancel -L /here:/there",
      "remove /here",
      "-O forward -L /here:/there",
    ]);
  });

  test("is refused with ssh's reason", async () => {
    const host = createFakeHost({
      answers: () => ({ code: 255, stderr: "root@lab1: Permission denied (publickey)." }),
    });
    await expect(connect(host, "ssh://lab1", options)).rejects.toThrow("ssh://lab1: it does not let you in");
    await expect(connect(host, "lab1", options)).rejects.toThrow("lab1 is no host");
  });
});
