import { expect, test } from "vitest";
import { ExitCode } from "../model/error.ts";
import type { Pausing, Platform } from "./platform.ts";
import { requireFacet } from "./require-facet.ts";

const pausing: Pausing = { pause: () => Promise.resolve(), resume: () => Promise.resolve() };
const platform = (name: Platform["name"], more: Partial<Platform> = {}) => ({ name, ...more }) as Platform;
const platforms = {
  container: platform("container", { pausing }),
  namespace: platform("namespace"),
  qemu: platform("qemu", { pausing }),
} as unknown as Parameters<typeof requireFacet>[0];

test("a facet that is there is given; else the refusal says who has it", () => {
  expect(requireFacet(platforms, "container", "pausing", "cannot")).toBe(pausing);
  expect(() => requireFacet(platforms, "namespace", "pausing", "domains of namespace do not stand still")).toThrow(
    expect.objectContaining({
      message: "domains of namespace do not stand still",
      hint: "on platform container or qemu they do: cloison up FILE --platform container",
      exit: ExitCode.unavailable,
    }) as Error,
  );
});
