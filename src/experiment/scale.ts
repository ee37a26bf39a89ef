import { parseDocument } from "yaml";
import type * as z from "zod";
import type { experimentSchema } from "../model/experiment.ts";
import type { PlatformName } from "../model/lab.ts";
import type { Scale } from "../model/scale.ts";

/** The study's own numbers of requests, by the connections at a time that it sent them on. */
const STUDY_REQUESTS: Record<number, number> = { 100: 100_000, 500: 500_000, 1000: 500_000 };

/** Loads of a functional run: connections at a time, requests a second, and how long an answer may take. */
const FUNCTIONAL = { concurrency: 4, rate: 5, timeout: "30s" } as const;

/**
 * The text of an experiment at another scale, comments kept. `quick`: as written. `smoke`: one block of 2 s phases, an
 * indication. `full`: floods send the study's own numbers of requests, and each phase lasts until they are answered.
 * `functional`: the same phases, each with so little load that an emulated machine carries it; nothing is measured.
 */
export function scaleExperiment(text: string, scale: Scale): string {
  if (scale === "quick") return text;
  const document = parseDocument(text);
  const { probes, phases } = document.toJS() as Pick<z.input<typeof experimentSchema>, "probes" | "phases">;
  const eachLoad = (kind: "floods" | "stressors", change: (path: (string | number)[]) => void) => {
    for (const [name, phase] of Object.entries(phases))
      phase?.[kind]?.forEach((_, i) => change(["phases", name, kind, i]));
  };
  switch (scale) {
    case "functional":
      document.set("functional", true);
      document.set("blocks", 1);
      document.set("duration", "1s");
      document.setIn(["annex", "blocks"], 0);
      probes.forEach(({ probe }, i) => {
        document.setIn(["probes", i, "timeout"], FUNCTIONAL.timeout);
        if (probe !== "transfer") document.setIn(["probes", i, "rate"], FUNCTIONAL.rate);
      });
      eachLoad("floods", (path) => {
        document.deleteIn([...path, "requests"]);
        document.setIn([...path, "concurrency"], FUNCTIONAL.concurrency);
      });
      eachLoad("stressors", (path) => document.setIn([...path, "instances"], 1));
      break;
    case "smoke":
      document.set("blocks", 1);
      document.set("duration", "2s");
      document.set("settle", "500ms");
      document.setIn(["annex", "blocks"], 1);
      break;
    case "full":
      eachLoad("floods", (path) => {
        const concurrency = Number(document.getIn([...path, "concurrency"]));
        document.setIn([...path, "requests"], STUDY_REQUESTS[concurrency] ?? 100 * concurrency);
      });
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
