import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createRealHost } from "../../host/real.ts";
import { copyWithMemory } from "./copy-disk.ts";

/** Notes what it is asked; saving takes until the file `go` is there. */
const XL = String.raw`#!/bin/sh
cd "$(dirname "$0")"
echo "$*" >>asked
[ "$1" != save ] || { until [ -e go ]; do sleep 0.02; done; echo memory >"$4"; echo saved >>asked; }
`;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cloison-xl-"));
  writeFileSync(join(folder, "xl"), XL, { mode: 0o755 });
  writeFileSync(join(folder, "disk"), "blocks");
  vi.stubEnv("PATH", `${folder}:${process.env["PATH"]}`);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

const file = (name: string) => join(folder, name);
const asked = () => (existsSync(file("asked")) ? readFileSync(file("asked"), "utf8").trim().split("\n") : []);
const copied = (signal?: AbortSignal, disk = file("disk"), goesOn = true) =>
  copyWithMemory(createRealHost(), "one", 5, disk, { disk: file("copy"), memory: file("memory") }, { goesOn, signal });
const SAVED = () => [`save -p 5 ${file("memory")}`, "saved"];
const WENT_ON = ["qemu-monitor-command 5 cont", "unpause 5"];

test("the disk is copied after the memory, while QEMU and the domain stand still", async () => {
  writeFileSync(file("go"), "");
  await copied();
  expect(asked()).toEqual([...SAVED(), "qemu-monitor-command 5 stop", ...WENT_ON]);
  expect([file("memory"), file("copy")].map((name) => readFileSync(name, "utf8"))).toEqual(["memory\n", "blocks"]);
});

test("one that is to go elsewhere stands still afterwards, and QEMU serves its disk", async () => {
  writeFileSync(file("go"), "");
  await copied(undefined, file("disk"), false);
  expect(asked()).toEqual([...SAVED(), "qemu-monitor-command 5 stop", "qemu-monitor-command 5 cont"]);
});

test("a domain whose disk cannot be copied goes on", async () => {
  writeFileSync(file("go"), "");
  await expect(copied(undefined, file("none"))).rejects.toThrow(/domain one could not be copied: .*none/);
  expect(asked().slice(-2)).toEqual(WENT_ON);
});

test("whoever gives up does not cut off what is being saved, and the domain goes on", async () => {
  const over = new AbortController();
  const copying = copied(over.signal);
  const ended = copying.catch((error: unknown) => String(error));
  await vi.waitFor(() => expect(asked()).toHaveLength(1), { timeout: 10_000 });
  over.abort(new Error("enough"));
  writeFileSync(file("go"), "");
  expect(await ended).toBe("Error: enough");
  expect(asked()).toEqual([...SAVED(), ...WENT_ON]);
  expect(existsSync(file("copy"))).toBe(false);
});
