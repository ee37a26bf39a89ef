import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { createLoadClient } from "../src/load/client.ts";
import { ErrorCode } from "../src/load/recorder.ts";
import type { LoadBed } from "./load-bed.ts";

const CONNECTIONS = 50;

/** Seconds of CPU time each, in which the compiler's warming up is a small part. */
const KEPT = 400_000;
const FRESH = 40_000;
const AUTOCANNON_KEPT = 150_000;
const AUTOCANNON_FRESH = 20_000;
const WRK_SECONDS = 3;

/** Requests per client-CPU-second of ours. A new client process each time, as the others are: the compiler's warming up counts. */
export async function ours(bed: LoadBed, keepAlive: boolean): Promise<number> {
  const requests = keepAlive ? KEPT : FRESH;
  const place = { namespace: bed.namespace, cgroup: bed.group("ours"), cpus: [bed.cpu], nice: 0 };
  const client = await createLoadClient(bed.host, { ...place, engine: "epoll" });
  try {
    const before = await bed.cpuSeconds("ours");
    const { samples } = await client.start({
      kind: "http",
      address: bed.address,
      port: bed.port,
      host: bed.address,
      path: "/",
      keepAlive,
      timeoutMs: 10_000,
      loop: { mode: "closed", concurrency: CONNECTIONS, requests, durationMs: null },
    }).result;
    const used = (await bed.cpuSeconds("ours")) - before;
    const answered = samples.error.filter((error) => error === ErrorCode.none).length;
    if (answered !== requests) throw new Error(`the load client got ${answered} answers of ${requests}`);
    return requests / used;
  } finally {
    await client.close();
  }
}

export async function ab(bed: LoadBed, keepAlive: boolean): Promise<number> {
  const requests = keepAlive ? KEPT : FRESH;
  const kept = keepAlive ? ["-k"] : [];
  const argv: Argv = ["ab", "-q", ...kept, "-n", String(requests), "-c", String(CONNECTIONS), bed.url];
  const { output, seconds } = await run(bed, argv);
  if (
    number(output, /^Complete requests:\s+(\d+)$/m) !== requests ||
    number(output, /^Failed requests:\s+(\d+)$/m) !== 0
  ) {
    throw new Error(`ab did not get all its answers: ${output}`);
  }
  return requests / seconds;
}

export async function wrk(bed: LoadBed): Promise<number> {
  const argv: Argv = ["wrk", "-t", "1", "-c", String(CONNECTIONS), "-d", `${WRK_SECONDS}s`, bed.url];
  const { output, seconds } = await run(bed, argv);
  return number(output, /^\s*(\d+) requests in /m) / seconds;
}

/**
 * Its start, a fifth of a second, is measured beside each reading and taken off. With its own option for a connection
 * each it reads the answers and counts none, but sends no request before the answer to the one before.
 */
export async function autocannon(bed: LoadBed, keepAlive: boolean): Promise<number> {
  const program = join(dirname(createRequire(import.meta.url).resolve("autocannon/package.json")), "autocannon.js");
  const shoot = async (requests: number): Promise<number> => {
    const reconnect = keepAlive ? [] : ["--reconnectRate", "1"];
    const amount = ["-c", String(CONNECTIONS), "-a", String(requests)];
    const argv: Argv = [process.execPath, program, "--json", ...amount, ...reconnect, bed.url];
    const { output, seconds } = await run(bed, argv);
    const result = JSON.parse(output) as { "2xx": number; errors: number; requests: { sent: number } };
    const done = keepAlive ? result["2xx"] : result.requests.sent;
    if (done !== requests || result.errors !== 0) throw new Error(`autocannon did not get all its answers: ${output}`);
    return seconds;
  };
  const start = await shoot(CONNECTIONS);
  const requests = keepAlive ? AUTOCANNON_KEPT : AUTOCANNON_FRESH;
  return requests / ((await shoot(requests + CONNECTIONS)) - start);
}

type Argv = [string, ...string[]];

/** Runs it on the client's CPU, and says what CPU time it took with all that it started. */
async function run(bed: LoadBed, argv: Argv): Promise<{ output: string; seconds: number }> {
  const before = await bed.cpuSeconds("theirs");
  const place = { namespace: bed.namespace, cgroup: bed.group("theirs"), cpus: [bed.cpu] };
  const output = await bed.host.processes.must({ argv, ...place });
  return { output, seconds: (await bed.cpuSeconds("theirs")) - before };
}

function number(text: string, pattern: RegExp): number {
  const found = pattern.exec(text)?.[1];
  if (found === undefined) throw new Error(`no ${pattern.source} in ${text}`);
  return Number(found);
}
