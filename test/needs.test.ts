import { describe, expect, test } from "vitest";
import { probe, requiredNeeds } from "./probes.ts";

describe("needs", () => {
  test("answers the same twice, and a reason is one line", () => {
    const first = probe("mininet");
    expect(probe("mininet")).toBe(first);
    expect(first ?? "works").not.toContain("\n");
  });

  test("CLOISON_REQUIRE names needs, or all", () => {
    expect(requiredNeeds(undefined).size).toBe(0);
    expect([...requiredNeeds("root, runc")]).toEqual(["root", "runc"]);
    expect(requiredNeeds("all").has("overlay")).toBe(true);
  });

  test("a misspelt need in CLOISON_REQUIRE is an error, not a silence", () => {
    expect(() => requiredNeeds("root,rnuc")).toThrow(/"rnuc" is none of/);
  });
});
