import { describe, expect, test } from "vitest";
import { inventoryOf, parseManifest } from "./image-manifest.ts";

const entry = (...fields: string[]) => `${fields.join("\t")}\0`;
const listing = [
  entry("", "d", "755", "0:0", "4096", "1.0", ""),
  entry("etc", "d", "755", "0:0", "4096", "2.0", ""),
  entry("etc/motd", "f", "644", "0:0", "5", "3.0", ""),
  entry("var-run", "l", "777", "0:0", "4", "4.0", "/run"),
];
const whole = inventoryOf(listing.join(""));
const changed = (index: number, line: string) => inventoryOf(listing.with(index, line).join("")).fingerprint;

describe("inventoryOf", () => {
  test("counts, and adds up regular files only", () => {
    expect(whole).toMatchObject({ files: 4, bytes: 5 });
    expect(inventoryOf(listing.toReversed().join(""))).toEqual(whole);
  });

  test("sees a change of a file's size, time, mode and owner, and of a link's target", () => {
    const fingerprints = [
      changed(2, entry("etc/motd", "f", "644", "0:0", "6", "3.0", "")),
      changed(2, entry("etc/motd", "f", "644", "0:0", "5", "3.1", "")),
      changed(2, entry("etc/motd", "f", "600", "0:0", "5", "3.0", "")),
      changed(2, entry("etc/motd", "f", "644", "1:0", "5", "3.0", "")),
      changed(3, entry("var-run", "l", "777", "0:0", "4", "4.0", "/tmp")),
      changed(1, entry("etc", "d", "700", "0:0", "4096", "2.0", "")),
    ];
    expect(new Set([whole.fingerprint, ...fingerprints]).size).toBe(7);
  });

  test("does not mind a directory's time and size", () => {
    expect(changed(1, entry("etc", "d", "755", "0:0", "60", "9.0", ""))).toBe(whole.fingerprint);
  });
});

test("what is no manifest is none", () => {
  expect(parseManifest("")).toBeNull();
  expect(parseManifest('{"schema":"cloison.image/2"}')).toBeNull();
});
