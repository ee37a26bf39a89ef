import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createFakeHost } from "../host/fake.ts";
import { carryFile, joinSockets, type Spot } from "./carry.ts";
import type { Connection } from "./connection.ts";

/** A connection that leads to this machine: scripts are run here, sockets are only said to be joined. */
function connection(address: string, done: string[] = []): Connection {
  const tie = (how: string) => async (a: string, b: string) => {
    done.push(`${address} ${how} ${a} ${b}`);
    return async () => void done.push(`${address} lets go of ${a}`);
  };
  return {
    address,
    argv: (script, args = []) => ["sh", "-c", script, address, ...args],
    run: async () => ({ code: 0, signal: null, stdout: "", stderr: "", timedOut: false }),
    forward: tie("forwards"),
    receive: tie("receives"),
  };
}

test("a file goes from here and from one host to another, and why it does not is said", async () => {
  const folder = mkdtempSync(join(tmpdir(), "cloison-carry-"));
  const host = createFakeHost({
    answers({ argv: [program, ...args] }) {
      const { status, stderr } = spawnSync(program, args, { encoding: "utf8" });
      return { code: status, stderr };
    },
  });
  const at = (name: string, address: string | null): Spot => ({
    connection: address === null ? null : connection(address),
    path: join(folder, name),
  });
  try {
    writeFileSync(join(folder, "a b"), "text");
    await carryFile(host, at("a b", null), at("d", "ssh://lab2"), undefined);
    await carryFile(host, at("d", "ssh://lab2"), at("e'", "ssh://lab3"), undefined);
    expect(readFileSync(join(folder, "e'"), "utf8")).toBe("text");
    await expect(carryFile(host, at("none", "ssh://lab2"), at("f", null), undefined)).rejects.toThrow(/No such file/);
    await expect(carryFile(host, at("d", null), at("no/f", "ssh://lab2"), undefined)).rejects.toThrow(
      /^ssh:\/\/lab2: /,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("sockets are joined by whichever connection there is, and through here between two hosts", async () => {
  const host = createFakeHost();
  const joined = async (from: string | null, to: string | null) => {
    const done: string[] = [];
    const at = (address: string | null, path: string) => ({
      connection: address === null ? null : connection(address, done),
      path,
    });
    const letGo = await joinSockets(host, at(from, "/from/disk"), at(to, "/to/disk"), "/between/disk");
    await letGo();
    return done;
  };
  expect(await joined(null, "b")).toEqual(["b forwards /from/disk /to/disk", "b lets go of /from/disk"]);
  expect(await joined("a", null)).toEqual(["a receives /from/disk /between/disk", "a lets go of /from/disk"]);
  expect(host.records.slice(-2)).toEqual(["run ln -sfn /to/disk /between/disk", "remove /between/disk"]);
  expect(await joined("a", "b")).toEqual([
    "b forwards /between/disk /to/disk",
    "a receives /from/disk /between/disk",
    "a lets go of /from/disk",
    "b lets go of /between/disk",
  ]);
});
