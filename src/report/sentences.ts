import type { PlatformName } from "../model/lab.ts";
import type { Calibration, Comparison, Result, Trial } from "../model/result.ts";
import { countOf, formatConfidence, formatCount, formatMs, formatRatio, formatShare, listOf } from "./format.ts";
import type { PhaseView, RunView } from "./run-view.ts";
import { VERDICT_STYLES, type Verdict } from "./verdicts.ts";

export interface ValiditySentence {
  tone: "valid" | "indicative" | "invalid";
  title: string;
  text: string;
  reasons: string[];
}

/** What a reader must know before any number. */
export function validitySentence(result: Result): ValiditySentence {
  const invalid = result.trials.filter((trial) => !trial.valid);
  const blocks = new Set(result.trials.map((trial) => trial.block)).size;
  const aside =
    invalid.length === 0
      ? "all valid"
      : `${formatCount(invalid.length)} of them invalid, set aside and listed below with the reasons`;
  const trials = `${countOf(result.trials.length, "trial")} in ${countOf(blocks, "block")}, ${aside}`;
  const unfinished = result.complete ? "" : " The run was ended before every planned trial had been run.";
  if (result.functional) return functionalSentence(result, `${capital(trials)}.${unfinished}`);
  if (!result.valid) {
    return {
      tone: "invalid",
      title: "This run is not valid",
      text: `Nothing below may be relied on. ${capital(trials)}.${unfinished}`,
      reasons: result.reasons,
    };
  }
  if (result.indicative) {
    return {
      tone: "indicative",
      title: "This run is valid, its verdicts are indicative",
      text: `With fewer than 5 blocks there are no intervals, and a verdict is a hint. ${capital(trials)}.${unfinished}`,
      reasons: result.reasons,
    };
  }
  return {
    tone: "valid",
    title: "This run is valid",
    text: `The loads did their work, the generator kept its pace, and references agree with each other. ${capital(trials)}.${unfinished}`,
    reasons: result.reasons,
  };
}

/** A run that asks whether everything works is told as that, so that nobody takes its figures for measurements. */
function functionalSentence({ valid, reasons }: Result, trials: string): ValiditySentence {
  return {
    tone: valid ? "indicative" : "invalid",
    title: valid ? "This run is functional: everything works, nothing was measured" : "This functional run failed",
    text: valid
      ? `In every phase the loads did their work and the reference was answered. No figure below says how fast, or how isolated, anything is. ${trials}`
      : `It was to show that everything works. ${trials}`,
    reasons,
  };
}

/** Interval of an estimate as prose: `3.6 ms to 4.2 ms`; null when none may be given (fewer than 5 blocks). */
export function intervalText(row: Comparison): string | null {
  if (row.confidence === null) return null;
  if (row.low === null) return "no answer";
  return `${formatMs(row.low)} to ${row.high === null ? "∞" : formatMs(row.high)}`;
}

/** A platform's worst case in a few words: `container: degraded under cpu-4-disk`. */
export function platformHeadline(view: RunView, platform: PlatformName): string {
  const { loads, worst } = platformLoads(view, platform);
  const name = view.nameOf(platform);
  if (!view.valid) return `${name}: nothing established`;
  if (worst === undefined) return `${name}: not compared`;
  if (loads.every(({ row }) => row.verdict === "unaffected")) return `${name}: unaffected by every load`;
  const { word } = VERDICT_STYLES[worst.row.verdict];
  return `${name}: ${word} under ${worst.phase.name}${worst.row.indicative ? " (indicative)" : ""}`;
}

/** What was measured on a platform: at rest, under the load that hurt most, or where none is known to, was slowest; and how many loads did what. */
export function platformSentence(view: RunView, platform: PlatformName): string {
  const { loads, worst, resting } = platformLoads(view, platform);
  const name = view.nameOf(platform);
  if (worst === undefined) return `On ${name}, no load could be compared with the reference.`;
  const doubt = view.valid ? "" : "Not to be relied on: ";
  const [slowest = worst] = loads.toSorted((one, other) => slowness(other.row) - slowness(one.row));
  const hurts = badness(worst.row) > VERDICT_STYLES.inconclusive.severity;
  return `${doubt}On ${name}, 95 % of ${view.target}’s answers came within ${formatMs(resting)} at rest. ${loadSentence(hurts ? "Worst" : "Slowest", hurts ? worst : slowest)} ${tally(loads.map(({ row }) => row.verdict))}`;
}

/** That a trial is not valid, and why; none of one that is. */
export function invalidTrialSentences({ block, platform, phase, attempt, valid, reasons }: Trial): string[] {
  if (valid) return [];
  return [`not valid: block ${block}, ${phase} on ${platform}, attempt ${attempt}: ${reasons.join("; ")}`];
}

/** Why and how far loads were scaled; none when they were as planned. */
export function scaleSentences({ scale, limitedBy }: Calibration): string[] {
  if (limitedBy === null) return [];
  const { platform, target, path, aloneMs } = limitedBy;
  return [
    `${target}${path} on ${platform} takes ${formatMs(aloneMs)} when nothing else runs, so every platform gets ${scale} of the planned load: of the requests a second of probes, and of floods’ numbers of requests. Connections at a time and stressors are as planned. A phase lasts as long as 50 requests of a probe take, or 50 answers to its flood if that is longer, a minute at most.`,
  ];
}

/** What a comparison with an emulated platform is worth. */
export function emulationSentences(view: RunView): string[] {
  return view.emulated.map(
    (platform) =>
      `${view.nameOf(platform)} is emulation: TCG does in software what a processor with virtualization does itself. Its figures show how far it isolates, not how fast virtual machines are.`,
  );
}

interface ComparedLoad {
  phase: PhaseView;
  row: Comparison;
}

function platformLoads(
  view: RunView,
  platform: PlatformName,
): { loads: ComparedLoad[]; worst: ComparedLoad | undefined; resting: number | null } {
  const compared = view.phases.flatMap((phase): ComparedLoad[] => {
    const row = view.cell(platform, phase.name).comparison;
    return row === null ? [] : [{ phase, row }];
  });
  const loads = compared.filter(({ row }) => row.verdict !== "reference");
  const [worst] = loads.toSorted((a, b) => badness(b.row) - badness(a.row) || slowness(b.row) - slowness(a.row));
  const reference = compared.find(({ row }) => row.verdict === "reference");
  return { loads, worst, resting: reference?.row.estimate ?? worst?.row.reference ?? null };
}

function loadSentence(which: "Worst" | "Slowest", { phase, row }: ComparedLoad): string {
  const style = VERDICT_STYLES[row.verdict];
  const scene = phase.load === "no load" ? phase.name : `${phase.name} (${phase.load})`;
  if (row.verdict === "did-not-return") {
    return `${which} under ${scene}: ${formatShare(row.unanswered)} of the requests got no answer – ${style.word}.`;
  }
  if (row.estimate === null) return `${which} under ${scene}: the 95th percentile got no answer – ${style.word}.`;
  const interval = intervalText(row);
  const doubt = interval === null ? "no interval" : `${formatConfidence(row.confidence ?? 0)} interval ${interval}`;
  return `${which} under ${scene}: ${formatMs(row.estimate)} (${doubt}), ${formatRatio(row.ratio.estimate)} the reference – ${style.word}.`;
}

function tally(verdicts: readonly Verdict[]): string {
  const counted = new Map<Verdict, number>();
  for (const verdict of verdicts) counted.set(verdict, (counted.get(verdict) ?? 0) + 1);
  const parts = [...counted]
    .toSorted(([a], [b]) => VERDICT_STYLES[b].severity - VERDICT_STYLES[a].severity)
    .map(([verdict, count]) => `${count} ${VERDICT_STYLES[verdict].word}`);
  return `Of ${countOf(verdicts.length, "load")}: ${listOf(parts)}.`;
}

function badness(row: Comparison): number {
  return VERDICT_STYLES[row.verdict].severity;
}

function slowness(row: Comparison): number {
  return row.estimate ?? Number.MAX_VALUE;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
