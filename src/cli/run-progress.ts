import type { RunProgress } from "../app/run.ts";

/** One line: where a run is, how long it has taken, how long it will, and how fast the victim answers now. */
export function progressText(progress: RunProgress): string {
  const { done, of, block, blocks, platform, phase, attempt, elapsedMs, remainingMs, recentP95Ms, step } = progress;
  const again = attempt > 1 ? `, attempt ${attempt}` : "";
  const p95 =
    recentP95Ms === null ? "" : `  p95 ${recentP95Ms < 10 ? recentP95Ms.toFixed(1) : Math.round(recentP95Ms)} ms`;
  const remaining = remainingMs === null ? "" : `, ${minutes(remainingMs)} to go`;
  return `${done}/${of}  block ${block} of ${blocks}  ${platform} ${phase}${again}: ${step}${p95}  (${minutes(elapsedMs)}${remaining})`;
}

function minutes(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
