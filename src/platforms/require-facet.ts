import { ExitCode, LabError } from "../model/error.ts";
import type { PlatformName } from "../model/lab.ts";
import type { Platform } from "./platform.ts";

/**
 * What not every platform can.
 * @param refusal what is said of a platform that cannot
 * @throws LabError that names those that can
 */
export function requireFacet<Facet extends "snapshots" | "layers" | "pausing" | "power">(
  platforms: Readonly<Record<PlatformName, Platform>>,
  platform: PlatformName,
  facet: Facet,
  refusal: string,
): NonNullable<Platform[Facet]> {
  const found = platforms[platform][facet];
  if (found !== undefined) return found;
  const able = Object.values(platforms).flatMap((one) => (one[facet] === undefined ? [] : one.name));
  throw new LabError(refusal, {
    hint: `on platform ${new Intl.ListFormat("en", { type: "disjunction" }).format(able)} they do: cloison up FILE --platform ${able[0]}`,
    exit: ExitCode.unavailable,
  });
}
