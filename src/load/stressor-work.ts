import type { StressorKind } from "../model/experiment.ts";
import { AT_WORK, MEMORY_STEP_BYTES, STRESSOR_TOOLS } from "./stressor-commands.ts";

export interface StressorWork {
  work: number;
  unit: string;
}

/**
 * What a stressor really did, from its tool's own output; 0 where the output says nothing, because a tool that could not
 * tell is not to be believed.
 */
export function stressorWork(kind: StressorKind, output: string): StressorWork {
  switch (kind) {
    case "cpu":
      return { work: bogoOps(output, "cpu"), unit: "loops" };
    case "memory":
      return { work: bogoOps(output, "bigheap") * MEMORY_STEP_BYTES, unit: "bytes touched" };
    case "fork":
      return { work: bogoOps(output, "fork"), unit: "processes" };
    case "disk":
      return { work: bytesMoved(output), unit: "bytes written and read" };
    case "net-transmit":
    case "net-receive":
      return { work: datagrams(output), unit: "datagrams" };
  }
}

/** Whether it says that it has begun: stress-ng does when it has set itself up, and others of ours before they become the tool. */
export function isAtWork(kind: StressorKind, output: string): boolean {
  return output.includes(STRESSOR_TOOLS[kind] === "stress-ng" ? "dispatching hogs" : AT_WORK);
}

/** stress-ng's YAML, among its messages. */
function bogoOps(output: string, stressor: string): number {
  const found = new RegExp(String.raw`^\s*- stressor: ${stressor}\s*\n\s*bogo-ops: (\d+)`, "m").exec(output)?.[1];
  return Number(found ?? 0);
}

interface FioReport {
  jobs?: { read?: { io_bytes?: number }; write?: { io_bytes?: number } }[];
}

/** fio writes one report for each pass. */
function bytesMoved(output: string): number {
  const jobs = jsonDocuments(output).flatMap((report) => (report as FioReport).jobs ?? []);
  return jobs.reduce((sum, { read, write }) => sum + (read?.io_bytes ?? 0) + (write?.io_bytes ?? 0), 0);
}

interface Iperf3Report {
  end?: { sum?: { packets?: number; lost_packets?: number } };
}

/** What was sent, or what arrived: the receiving side counts among its packets those that it missed. */
function datagrams(output: string): number {
  const reports = jsonDocuments(output) as Iperf3Report[];
  return reports.reduce((sum, { end }) => sum + (end?.sum?.packets ?? 0) - (end?.sum?.lost_packets ?? 0), 0);
}

/** Objects whose braces stand at the beginning of a line, whatever is written between them; one cut short is left out. */
function jsonDocuments(output: string): object[] {
  return [...output.matchAll(/^\{$[\s\S]*?^\}$/gm)].map(([text]) => JSON.parse(text) as object);
}
