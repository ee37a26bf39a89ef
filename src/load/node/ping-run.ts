import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { PingJob } from "../load.ts";
import type { Finished } from "../messages.ts";
import { Pacing } from "../pacing.ts";
import { ErrorCode, Recorder } from "../recorder.ts";
import { Stop, type LiveCounts } from "../summary.ts";
import { parsePingLine } from "./ping-output.ts";

const TICK_MS = 20;

interface Answer {
  startNs: number;
  totalNs: number;
  error: number;
}

/**
 * ICMP echo by the `ping` of the machine, whose output is read line by line. It does not print when it sends: a
 * request's start is its reply's arrival less the round trip, or, without a reply, when it would have been due. It also
 * keeps its own pace, by the kernel's ticks, so that start is all that is known of when the request was intended.
 */
export async function runPing(job: PingJob, live: LiveCounts): Promise<Finished> {
  const { rateHz, durationMs } = job.loop;
  const pacing = new Pacing(rateHz, durationMs);
  const timeoutNs = job.timeoutMs * 1e6;
  const cpuBefore = process.cpuUsage();
  const startedAtMs = Date.now();
  // Without a count: with one, ping waits for the last replies but twice the round trip, whatever its -W.
  const ping = spawn(
    "setpriv",
    ["--pdeathsig", "KILL", "--", "ping", "-n", "-D", "-i", (1 / rateHz).toFixed(6), job.address],
    { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, LC_ALL: "C" } },
  );
  const answers = new Map<number, Answer>();
  const nowNs = (): number => (Date.now() - startedAtMs) * 1e6;
  const sent = (atNs: number): number => Math.min(pacing.count, Math.floor((atNs / 1e9) * rateHz) + 1);
  let complaint = "";
  ping.stderr.setEncoding("utf8").on("data", (text: string) => (complaint += text));
  createInterface({ input: ping.stdout }).on("line", (line) => {
    const parsed = parsePingLine(line);
    if (parsed === null) return;
    const atNs = parsed.atSeconds === 0 ? nowNs() : (parsed.atSeconds * 1e3 - startedAtMs) * 1e6;
    const index = unwrap(parsed.sequence - 1, sent(atNs) - 1);
    if (index >= pacing.count || answers.has(index)) return;
    const totalNs = Math.round(parsed.roundTripMs * 1e6);
    const error =
      parsed.kind !== "reply" ? ErrorCode.unreachable : totalNs > timeoutNs ? ErrorCode.timeout : ErrorCode.none;
    answers.set(index, {
      startNs: Math.max(0, Math.round(atNs - totalNs)),
      totalNs: error === ErrorCode.none ? totalNs : -1,
      error,
    });
    live.begin();
    live.end(error, totalNs);
  });

  const { count, cut } = await new Promise<{ count: number; cut: boolean }>((resolve, reject) => {
    let wanted = pacing.count;
    let stopped: Stop = Stop.no;
    const timer = setInterval(() => {
      const stop = live.stop();
      if (stop !== Stop.no && stopped === Stop.no) wanted = sent(nowNs());
      stopped = stop;
      const isOver = answers.size >= wanted || nowNs() >= pacing.dueNs(wanted - 1) + timeoutNs;
      if (stop !== Stop.cut && !isOver) return;
      clearInterval(timer);
      resolve({ count: wanted, cut: stop === Stop.cut });
    }, TICK_MS);
    const fail = (reason: string): void => {
      clearInterval(timer);
      reject(new Error(`ping ${reason}: ${complaint.trim()}`));
    };
    ping.once("error", (error) => fail(error.message));
    ping.once("exit", (code) => fail(`ended with ${code}`));
  }).finally(() => ping.kill("SIGKILL"));

  const recorder = new Recorder();
  const elapsedNs = nowNs();
  for (let index = 0; index < count; index++) {
    const dueNs = pacing.dueNs(index);
    const answer = answers.get(index);
    const startNs = answer?.startNs ?? dueNs;
    const row = recorder.begin(startNs, startNs);
    if (answer !== undefined && answer.totalNs >= 0) {
      recorder.firstByte(row, answer.totalNs);
      recorder.total(row, answer.totalNs);
    }
    recorder.end(
      row,
      answer?.error ?? (cut && dueNs + timeoutNs > elapsedNs ? ErrorCode["cut-off"] : ErrorCode.timeout),
    );
  }
  const { user, system } = process.cpuUsage(cpuBefore);
  return {
    outcome: { startedAtMs, elapsedMs: elapsedNs / 1e6, clientCpuNs: (user + system) * 1e3 },
    blocks: recorder.take(),
  };
}

/** The number whose low 16 bits are `low` that lies next to `expected`. */
function unwrap(low: number, expected: number): number {
  const difference = (((low - expected) % 65_536) + 65_536) % 65_536;
  return expected + (difference >= 32_768 ? difference - 65_536 : difference);
}
