import type { Host } from "../host/host.ts";
import { LabError } from "../model/error.ts";
import type { NamespaceName } from "../model/plan.ts";
import { PcapReader, type CapturedFrame } from "./pcap-stream.ts";

export type { CapturedFrame } from "./pcap-stream.ts";

interface CaptureOptions {
  /** pcap-filter(7). */
  filter?: string;
  /** Ends the capture; the iteration then ends, without an error. */
  signal: AbortSignal;
  /** Called once frames are being captured. */
  onListening?(): void;
}

/** Frames that pass an interface, as tcpdump sees them there, while they pass. Throws LabError with tcpdump's own words. */
export async function* captureFrames(
  host: Host,
  namespace: NamespaceName,
  link: string,
  { filter, signal, onListening }: CaptureOptions,
): AsyncGenerator<CapturedFrame> {
  if (signal.aborted) return;
  const reader = new PcapReader();
  const waiting: CapturedFrame[] = [];
  const state: { ended: boolean; broken: Error | null; listening: boolean } = {
    ended: false,
    broken: null,
    listening: false,
  };
  let wake: () => void = () => undefined;
  const running = await host.processes.start({
    argv: ["tcpdump", "-U", "--immediate-mode", "-n", "-w", "-", "-i", link, ...(filter === undefined ? [] : [filter])],
    namespace,
    output: {
      stdout(chunk) {
        // tcpdump writes the file's header when it has begun to listen.
        if (!state.listening) onListening?.();
        state.listening = true;
        try {
          waiting.push(...reader.push(chunk));
        } catch (error) {
          state.broken = new LabError(`what tcpdump delivers on ${link} cannot be read`, { cause: error });
        }
        wake();
      },
    },
  });
  const stop = () => running.kill("SIGTERM");
  signal.addEventListener("abort", stop);
  if (signal.aborted) stop();
  const ended = running.exited.then((finished) => {
    state.ended = true;
    wake();
    return finished;
  });
  try {
    for (;;) {
      const woken = new Promise<void>((resolve) => (wake = resolve));
      yield* waiting.splice(0);
      if (state.broken !== null) throw state.broken;
      if (state.ended) break;
      if (waiting.length === 0) await woken;
    }
    const { code, stderr } = await ended;
    if (code !== 0 && !signal.aborted) {
      const complaint = stderr.trim().split("\n").at(-1) ?? "";
      throw new LabError(`the capture on ${link} ended: ${complaint.replace(/^tcpdump: /, "")}`);
    }
  } finally {
    signal.removeEventListener("abort", stop);
    // Whoever iterates may have had enough.
    running.kill("SIGTERM");
    await ended;
  }
}
