import { createRequire } from "node:module";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { tmpdir } from "node:os";
import type { Host } from "../src/host/host.ts";
import { installPackages } from "../src/host/debian-packages.ts";
import { createRealHost } from "../src/host/real.ts";
import { createLoadClient } from "../src/load/client.ts";
import type { HttpJob } from "../src/load/load.ts";
import { ExitCode, LabError } from "../src/model/error.ts";
import { ErrorCode } from "../src/load/recorder.ts";
import { interleave, pairRow, type Reading } from "./pairs.ts";
import type { Row } from "./row.ts";

const ADDRESS = "127.0.0.1";
const PORT = 8080;
const URL = `http://${ADDRESS}:${PORT}/`;
const CONNECTIONS = 50;
const UNIT = "requests per client CPU second";

/** Seconds of CPU time each, in which the compiler's warming up is a small part. */
const KEPT = 400_000;
const FRESH = 40_000;
const AUTOCANNON_KEPT = 150_000;
const AUTOCANNON_FRESH = 20_000;
const WRK_SECONDS = 3;

const NOTE =
  "the client's whole process, user and system, without its start; nginx on the other CPU; ours parses every answer and records eight columns a request";
const KEPT_NOTE = `${NOTE}. Three quarters of ours is inside send and recv, which bounds every client: ab -k and wrk gain no more on autocannon than we do`;
const FRESH_NOTE = `${NOTE}. Nine tenths of ours is the kernel's: TCP's handshake and farewell over loopback, both ends' on the client's CPU`;

/** One namespace with a fast server on the first CPU; clients run on the last one, in a control group that counts their CPU time. */
interface Bed {
  host: Host;
  namespace: string;
  cgroup: string;
  cpu: number;
}

/** Requests per client-CPU-second of our load client beside autocannon, ab and wrk. Wants root. */
export async function loadClientBench(say: (line: string) => void): Promise<Row[]> {
  await installPackages(createRealHost(), ["nginx-light", "apache2-utils", "wrk"], { onProgress: say });
  const bed = await makeBed();
  try {
    const rows: Row[] = [];
    const measure = async (
      name: string,
      against: string,
      atLeast: number,
      ours: Reading,
      theirs: Reading,
      note: string,
    ): Promise<void> => {
      const pairs = await interleave(ours, theirs);
      const row = pairRow({ name, against, unit: UNIT, note }, { ratio: "rate", atLeast }, pairs);
      say(
        `${name} against ${against}: ${Math.round(row.ours)} and ${Math.round(row.theirs)}, ratio ${row.ratio.toFixed(2)} (${row.low.toFixed(2)} to ${row.high.toFixed(2)})`,
      );
      rows.push(row);
    };
    const kept = "load client, keep-alive";
    const fresh = "load client, a connection each";
    await measure(
      kept,
      "autocannon 9",
      2.5,
      () => ours(bed, true),
      () => autocannon(bed, true),
      KEPT_NOTE,
    );
    await measure(
      kept,
      "ab -k",
      0.9,
      () => ours(bed, true),
      () => ab(bed, true),
      NOTE,
    );
    await measure(
      kept,
      "wrk",
      0.85,
      () => ours(bed, true),
      () => wrk(bed),
      NOTE,
    );
    await measure(
      fresh,
      "autocannon 9",
      2,
      () => ours(bed, false),
      () => autocannon(bed, false),
      FRESH_NOTE,
    );
    await measure(
      fresh,
      "ab",
      0.85,
      () => ours(bed, false),
      () => ab(bed, false),
      FRESH_NOTE,
    );
    return rows;
  } finally {
    await removeBed(bed);
  }
}

async function makeBed(): Promise<Bed> {
  const host = createRealHost();
  const { cpus } = host.machine;
  const [first, last] = [cpus[0], cpus.at(-1)];
  if (first === undefined || last === undefined || first === last) {
    throw new LabError("the load client is measured with the server on another CPU, and there is but one", {
      exit: ExitCode.unavailable,
    });
  }
  const bed = {
    host,
    namespace: `cloison-bench-load-${process.pid}`,
    cgroup: `cloison/bench-load-${process.pid}`,
    cpu: last,
  };
  const directory = mkdtempSync(join(tmpdir(), "cloison-bench-load-"));
  try {
    await host.namespaces.create([bed.namespace]);
    await host.processes.must({ argv: ["ip", "link", "set", "lo", "up"], namespace: bed.namespace });
    const configuration = join(directory, "nginx.conf");
    writeFileSync(configuration, nginxConfiguration(directory));
    await host.processes.start({
      argv: ["nginx", "-e", join(directory, "error.log"), "-c", configuration],
      namespace: bed.namespace,
      cgroup: `${bed.cgroup}/server`,
      cpus: [first],
    });
    await untilAnswered(bed);
    return bed;
  } catch (error) {
    await removeBed(bed);
    throw error;
  } finally {
    // nginx has read its configuration; what else it holds open goes with it.
    rmSync(directory, { recursive: true, force: true });
  }
}

async function removeBed({ host, namespace, cgroup }: Bed): Promise<void> {
  await host.cgroups.destroy(cgroup, 10_000);
  await host.namespaces.remove([namespace]);
}

function nginxConfiguration(directory: string): string {
  return `daemon off;
worker_processes 1;
pid ${directory}/pid;
events { worker_connections 4096; }
http {
  access_log off;
  keepalive_requests 1000000000;
  client_body_temp_path ${directory}/body;
  proxy_temp_path ${directory}/proxy;
  fastcgi_temp_path ${directory}/fastcgi;
  uwsgi_temp_path ${directory}/uwsgi;
  scgi_temp_path ${directory}/scgi;
  server {
    listen ${ADDRESS}:${PORT} backlog=4096;
    location / { return 200 "cloison measures its load client\\n"; }
  }
}
`;
}

async function untilAnswered(bed: Bed): Promise<void> {
  const client = await createLoadClient(bed.host, clientOptions(bed, "start"));
  try {
    const loop = { mode: "closed", concurrency: 1, requests: 1, durationMs: null } as const;
    for (let tries = 0; tries < 100; tries++) {
      const { samples } = await client.start(job(true, loop)).result;
      if (samples.error[0] === ErrorCode.none) return;
      await bed.host.clock.sleep(50);
    }
    throw new LabError("nginx does not answer", {
      hint: "is the Debian package nginx installed?",
      exit: ExitCode.unavailable,
    });
  } finally {
    await client.close();
  }
}

function job(keepAlive: boolean, loop: HttpJob["loop"]): HttpJob {
  return { kind: "http", address: ADDRESS, port: PORT, host: ADDRESS, path: "/", keepAlive, timeoutMs: 10_000, loop };
}

function clientOptions(bed: Bed, name: string): Parameters<typeof createLoadClient>[1] {
  return { namespace: bed.namespace, cgroup: `${bed.cgroup}/${name}`, cpus: [bed.cpu], nice: 0, engine: "epoll" };
}

/** A new client process each time, as the others are: the compiler's warming up counts. */
async function ours(bed: Bed, keepAlive: boolean): Promise<number> {
  const requests = keepAlive ? KEPT : FRESH;
  const client = await createLoadClient(bed.host, clientOptions(bed, "ours"));
  try {
    const before = await cpuSeconds(bed, "ours");
    const { samples } = await client.start(
      job(keepAlive, { mode: "closed", concurrency: CONNECTIONS, requests, durationMs: null }),
    ).result;
    const used = (await cpuSeconds(bed, "ours")) - before;
    const answered = samples.error.filter((error) => error === ErrorCode.none).length;
    if (answered !== requests) throw new Error(`the load client got ${answered} answers of ${requests}`);
    return requests / used;
  } finally {
    await client.close();
  }
}

async function ab(bed: Bed, keepAlive: boolean): Promise<number> {
  const requests = keepAlive ? KEPT : FRESH;
  const { output, seconds } = await run(bed, [
    "ab",
    "-q",
    ...(keepAlive ? ["-k"] : []),
    "-n",
    String(requests),
    "-c",
    String(CONNECTIONS),
    URL,
  ]);
  if (
    number(output, /^Complete requests:\s+(\d+)$/m) !== requests ||
    number(output, /^Failed requests:\s+(\d+)$/m) !== 0
  ) {
    throw new Error(`ab did not get all its answers: ${output}`);
  }
  return requests / seconds;
}

async function wrk(bed: Bed): Promise<number> {
  const { output, seconds } = await run(bed, [
    "wrk",
    "-t",
    "1",
    "-c",
    String(CONNECTIONS),
    "-d",
    `${WRK_SECONDS}s`,
    URL,
  ]);
  return number(output, /^\s*(\d+) requests in /m) / seconds;
}

/**
 * Its start, a fifth of a second, is measured beside each reading and taken off. With its own option for a connection
 * each it reads the answers and counts none, but sends no request before the answer to the one before.
 */
async function autocannon(bed: Bed, keepAlive: boolean): Promise<number> {
  const program = join(dirname(createRequire(import.meta.url).resolve("autocannon/package.json")), "autocannon.js");
  const shoot = async (requests: number): Promise<number> => {
    const reconnect = keepAlive ? [] : ["--reconnectRate", "1"];
    const { output, seconds } = await run(bed, [
      process.execPath,
      program,
      "--json",
      "-c",
      String(CONNECTIONS),
      "-a",
      String(requests),
      ...reconnect,
      URL,
    ]);
    const result = JSON.parse(output) as { "2xx": number; errors: number; requests: { sent: number } };
    const done = keepAlive ? result["2xx"] : result.requests.sent;
    if (done !== requests || result.errors !== 0) throw new Error(`autocannon did not get all its answers: ${output}`);
    return seconds;
  };
  const start = await shoot(CONNECTIONS);
  const requests = keepAlive ? AUTOCANNON_KEPT : AUTOCANNON_FRESH;
  return requests / ((await shoot(requests + CONNECTIONS)) - start);
}

/** Runs it on the client's CPU, and says what CPU time it took with all that it started. */
async function run(bed: Bed, argv: [string, ...string[]]): Promise<{ output: string; seconds: number }> {
  const before = await cpuSeconds(bed, "theirs");
  const output = await bed.host.processes.must({
    argv,
    namespace: bed.namespace,
    cgroup: `${bed.cgroup}/theirs`,
    cpus: [bed.cpu],
  });
  return { output, seconds: (await cpuSeconds(bed, "theirs")) - before };
}

/** CPU time of all that ever ran in the group; 0 before there is one. */
async function cpuSeconds({ host, cgroup }: Bed, name: string): Promise<number> {
  if (host.cgroups.version === 1) {
    return Number((await host.cgroups.read(`${cgroup}/${name}`, "cpuacct", "cpuacct.usage")) ?? 0) / 1e9;
  }
  const text = (await host.cgroups.read(`${cgroup}/${name}`, "cpu", "cpu.stat")) ?? "usage_usec 0";
  return number(text, /^usage_usec (\d+)$/m) / 1e6;
}

function number(text: string, pattern: RegExp): number {
  const found = pattern.exec(text)?.[1];
  if (found === undefined) throw new Error(`no ${pattern.source} in ${text}`);
  return Number(found);
}
