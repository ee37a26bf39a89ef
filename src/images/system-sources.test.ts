import { describe, expect, test } from "vitest";
import type { AptSource } from "./debian-sources.ts";
import { systemSources } from "./system-sources.ts";

const source = (uri: string, suites: string[], options: Record<string, string> = {}): AptSource => ({
  uris: [uri],
  suites,
  components: ["main"],
  options,
});
const MACHINE = [
  source("http://a/debian", ["bookworm", "bookworm-updates"], { "Signed-By": "/k" }),
  source("http://a/debian-security", ["bookworm-security"]),
  source("http://vendor/packages", ["stable"]),
];
const unknown = () => null;
const suitesOf = (sources: AptSource[]) => sources.map(({ uris, suites }) => `${uris[0]} ${suites[0]}`);

describe("another release of Debian", () => {
  test("is had by the machine's own way, with the machine's keys", () => {
    const found = systemSources(MACHINE, { distribution: "debian", release: "trixie" }, unknown);
    expect(suitesOf(found)).toEqual([
      "http://a/debian trixie",
      "http://a/debian trixie-updates",
      "http://a/debian-security trixie-security",
    ]);
    expect(found[0]?.options).toEqual({ "Signed-By": "/k" });
  });

  test("that is never finished has nothing beside it", () => {
    const found = systemSources(MACHINE, { distribution: "debian", release: "sid" }, unknown);
    expect(suitesOf(found)).toEqual(["http://a/debian sid"]);
  });

  test("comes from the mirror that is named, and then from there only", () => {
    const found = systemSources(MACHINE, { distribution: "debian", release: "trixie", mirror: "http://m/d" }, unknown);
    expect(suitesOf(found)).toEqual(["http://m/d trixie", "http://m/d trixie-updates"]);
    expect(found[0]?.options["Signed-By"]).toContain("debian-archive-keyring");
  });
});

describe("Ubuntu", () => {
  const ubuntu = { distribution: "ubuntu", release: "noble" } as const;

  test("is told by what the archive says of itself, whatever its path", () => {
    const proxy = [source("http://proxy/x", ["jammy", "jammy-updates"])];
    const found = systemSources(proxy, ubuntu, () => ({ origin: "Ubuntu", codename: "jammy" }));
    expect(suitesOf(found)).toEqual(["http://proxy/x noble", "http://proxy/x noble-updates"]);
    expect(found[0]?.components).toEqual(["main", "universe"]);
  });

  test("without an archive that the machine knows is refused, with what to do", () => {
    const attempt = () => systemSources(MACHINE, ubuntu, unknown);
    expect(attempt).toThrow("Ubuntu noble: this machine's apt knows no archive of Ubuntu");
    expect(attempt).toThrow(expect.objectContaining({ exit: 3, hint: expect.stringContaining("mirror: ") as string }));
  });
});
