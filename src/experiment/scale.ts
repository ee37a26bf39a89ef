import { parseDocument } from "yaml";
import type { PlatformName } from "../model/lab.ts";

export const SCALES = ["smoke", "quick", "full"] as const;
export type Scale = (typeof SCALES)[number];

/** The study's own numbers of requests, by the connections at a time that it sent them on. */
const STUDY_REQUESTS: Record<number, number> = { 100: 100_000, 500: 500_000, 1000: 500_000 };

/**
 * The text of an experiment at another scale, comments kept. `quick`: as written. `smoke`: one block of 2 s phases, an
 * indication. `full`: floods send the study's own numbers of requests, and each phase lasts until they are answered.
 */
export function scaleExperiment(text: string, scale: Scale): string {
  if (scale === "quick") return text;
  const document = parseDocument(text);
  if (scale === "smoke") {
    document.set("blocks", 1);
    document.set("duration", "2s");
    document.set("settle", "500ms");
    document.setIn(["annex", "blocks"], 1);
  } else {
    const { phases } = document.toJS() as { phases: Record<string, { floods?: { concurrency: number }[] } | null> };
    for (const [name, phase] of Object.entries(phases)) {
      phase?.floods?.forEach(({ concurrency }, i) => {
        document.setIn(["phases", name, "floods", i, "requests"], STUDY_REQUESTS[concurrency] ?? 100 * concurrency);
      });
    }
  }
  return document.toString({ lineWidth: 120 });
}

/** The text of an experiment as a run folder keeps it: complete in itself, with the seed that was drawn. */
export function recordedExperiment(text: string, seed: number, platforms: readonly PlatformName[]): string {
  const document = parseDocument(text);
  document.set("seed", seed);
  document.set("lab", "lab.yaml");
  document.set("platforms", platforms);
  return document.toString({ lineWidth: 120 });
}
