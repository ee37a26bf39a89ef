import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { createRealHost } from "../../src/host/real.ts";
import { createLoadClient } from "../../src/load/client.ts";
import type { HttpJob, LoadClient, LoadResult } from "../../src/load/load.ts";
import { startResponder } from "../../src/load/responder.ts";
import { LabError } from "../../src/model/error.ts";
import { ERROR_KINDS, type Engine, type ErrorKind } from "../../src/model/samples.ts";
import { needs } from "../needs.ts";

const host = createRealHost();
const NAMESPACE = `loadtest${process.pid}`;
const CGROUP = `cloison/loadtest${process.pid}`;
const PORT = 8080;
const cpus = host.machine.cpus;

const inside = (...argv: [string, ...string[]]): Promise<string> => host.processes.must({ argv, namespace: NAMESPACE });

const servers: Server[] = [];
const sockets = new Set<Socket>();

/** Listens inside the namespace; without an address `listen` makes its socket at once, in the thread's namespace of the moment. */
function listen(server: Server): void {
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
  });
  host.namespaces.within(NAMESPACE, () => server.listen(PORT));
  servers.push(server);
}

/** Calls back for every request, which has no body. */
function serve(onRequest: (socket: Socket, count: number) => void): void {
  let count = 0;
  listen(
    createServer((socket) => {
      let seen = "";
      socket.on("data", (bytes) => {
        seen += bytes.toString("latin1");
        for (let end = seen.indexOf("\r\n\r\n"); end >= 0; end = seen.indexOf("\r\n\r\n")) {
          seen = seen.slice(end + 4);
          onRequest(socket, ++count);
        }
      });
    }),
  );
}

async function closeServers(): Promise<void> {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  for (const server of servers.splice(0)) {
    server.close();
    await once(server, "close");
  }
}

const closed = (requests: number, concurrency = 1): HttpJob["loop"] => ({
  mode: "closed",
  concurrency,
  requests,
  durationMs: null,
});
const open = (rateHz: number, durationMs: number) => ({ mode: "open", rateHz, durationMs }) as const;

function http(changes: Partial<HttpJob>): HttpJob {
  return {
    kind: "http",
    address: "127.0.0.1",
    port: PORT,
    host: "loadtest",
    path: "/",
    keepAlive: false,
    timeoutMs: 10_000,
    loop: closed(1),
    ...changes,
  };
}

function kinds({ samples }: LoadResult): Partial<Record<ErrorKind, number>> {
  const counts: Partial<Record<ErrorKind, number>> = {};
  for (const error of samples.error) {
    const kind = ERROR_KINDS[error] ?? "none";
    counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return counts;
}

/** Ends of connections in TIME_WAIT, by their local port. */
async function timeWaitPorts(): Promise<number[]> {
  const lines = await inside("ss", "-Htan", "state", "time-wait");
  return lines
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => Number(/:(\d+)\s/.exec(line)?.[1]));
}

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

beforeAll(async () => {
  if (process.geteuid?.() !== 0) return;
  await host.namespaces.create([NAMESPACE]);
  await inside("ip", "link", "set", "lo", "up");
});

afterAll(async () => {
  if (process.geteuid?.() !== 0) return;
  await closeServers();
  await host.cgroups.destroy(CGROUP, 10_000);
  await host.namespaces.remove([NAMESPACE]);
});

function start(engine: Engine, group: string = engine): Promise<LoadClient> {
  return createLoadClient(host, { namespace: NAMESPACE, cgroup: `${CGROUP}/${group}`, cpus, nice: 0, engine });
}

needs(
  "root",
  "netns",
  "ping",
)("a load client", () => {
  describe.each(["epoll", "node"] as const)("with the engine %s", (engine) => {
    let client: LoadClient;
    beforeAll(async () => {
      client = await start(engine);
    });
    afterAll(() => client.close());
    afterEach(closeServers);

    const run = (changes: Partial<HttpJob>): Promise<LoadResult> => client.start(http(changes)).result;

    test("keeps connections, and records every request", async () => {
      listen(
        createHttpServer((request, response) =>
          response.end(`${request.method} ${request.url} ${request.headers.host}`),
        ),
      );
      const result = await run({ keepAlive: true, path: "/a?b", loop: closed(500, 10) });
      expect(result.engine).toBe(engine);
      expect(kinds(result)).toEqual({ none: 500 });
      const { samples } = result;
      expect(new Set(samples.status)).toEqual(new Set([200]));
      expect(new Set(samples.bytes)).toEqual(new Set(["GET /a?b loadtest".length]));
      // Ten connections were made, and every other request found one.
      expect(samples.connectNs.filter((ns) => ns > 0)).toHaveLength(10);
      expect(samples.connectNs.filter((ns) => ns === 0)).toHaveLength(490);
      samples.totalNs.forEach((total, i) => {
        const first = samples.firstByteNs[i] ?? -1;
        expect(first).toBeGreaterThan(samples.connectNs[i] ?? -1);
        expect(total).toBeGreaterThanOrEqual(first);
      });
      expect(result.sendDelayMs).toBeNull();
      expect(result.clientCpuNs).toBeGreaterThan(0);
    });

    test("makes a connection for each request, and leaves TIME_WAIT to the server", async () => {
      let connections = 0;
      const server = createHttpServer((_request, response) => response.end("hello"));
      server.on("connection", () => connections++);
      listen(server);
      const before = new Set(await timeWaitPorts());
      const result = await run({ loop: closed(300, 20) });
      expect(kinds(result)).toEqual({ none: 300 });
      expect(connections).toBe(300);
      expect(result.samples.connectNs.every((ns) => ns > 0)).toBe(true);
      const ports = await timeWaitPorts();
      expect(ports.filter((port) => port !== PORT && !before.has(port))).toEqual([]);
      expect(ports.filter((port) => port === PORT).length).toBeGreaterThan(200);
    });

    test.each([
      [
        "chunks",
        'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x="y"\r\nhe\r\n3\r\nllo\r\n0\r\nT: 1\r\n\r\n',
        false,
      ],
      ["a length", OK, false],
      ["until the end", "HTTP/1.0 200 OK\r\n\r\nhello", true],
    ])("reads an answer that comes byte by byte: %s", async (_name, text, ends) => {
      serve((socket) => {
        socket.setNoDelay(true);
        const bytes = Buffer.from(text, "latin1");
        let at = 0;
        const next = (): void => {
          socket.write(bytes.subarray(at, ++at));
          if (at < bytes.length) setImmediate(next);
          else if (ends) socket.end();
        };
        next();
      });
      const result = await run({ keepAlive: true, loop: closed(5, 2) });
      expect(kinds(result)).toEqual({ none: 5 });
      expect([...result.samples.bytes]).toEqual([5, 5, 5, 5, 5]);
    });

    test("reads an answer of many megabytes", async () => {
      const body = Buffer.alloc(20_000_000, "x");
      listen(createHttpServer((_request, response) => response.end(body)));
      const result = await run({ loop: closed(3, 2) });
      expect(kinds(result)).toEqual({ none: 3 });
      expect([...result.samples.bytes]).toEqual([20e6, 20e6, 20e6]);
    });

    test.each<[string, ErrorKind, (socket: Socket) => void]>([
      ["that never answers", "timeout", () => undefined],
      [
        "that stops in the middle",
        "timeout",
        (socket) => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhel"),
      ],
      ["that resets", "reset", (socket) => socket.resetAndDestroy()],
      ["that closes without an answer", "short", (socket) => socket.end()],
      ["that closes in the middle", "short", (socket) => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhel")],
      [
        "that closes in the middle of chunks",
        "short",
        (socket) => socket.end("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhel"),
      ],
      ["that talks garbage", "malformed", (socket) => socket.end(Buffer.alloc(5_000, "\0\xffgarbage\r\n"))],
      [
        "whose head does not end",
        "malformed",
        (socket) => socket.write(`HTTP/1.1 200 OK\r\n${"X: y\r\n".repeat(20_000)}`),
      ],
      ["that folds its headers", "malformed", (socket) => socket.write("HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n")],
    ])("knows a server %s: %s", async (_name, kind, answer) => {
      serve(answer);
      for (const keepAlive of [false, true]) {
        const result = await run({ keepAlive, timeoutMs: 300, loop: closed(4, 2) });
        expect(kinds(result)).toEqual({ [kind]: 4 });
        expect(new Set(result.samples.totalNs)).toEqual(new Set([-1]));
      }
    });

    test("knows a port where nobody listens, and an address without a way", async () => {
      expect(kinds(await run({ loop: closed(50, 5) }))).toEqual({ refused: 50 });
      expect(kinds(await run({ address: "192.0.2.1", loop: closed(5, 5) }))).toEqual({ unreachable: 5 });
    });

    test("an open loop never waits for an answer", async () => {
      // Nobody is answered before the last request has come.
      const waiting: Socket[] = [];
      serve((socket, count) => {
        waiting.push(socket);
        if (count >= 30) for (const one of waiting.splice(0)) one.write(OK);
      });
      for (const keepAlive of [true, false]) {
        const result = await run({ keepAlive, loop: open(100, 300) });
        expect(kinds(result)).toEqual({ none: 30 });
        expect([...result.samples.intendedNs]).toEqual(Array.from({ length: 30 }, (_, i) => i * 10e6));
        result.samples.startNs.forEach((ns, i) => expect(ns).toBeGreaterThanOrEqual(result.samples.intendedNs[i] ?? 0));
        expect(result.sendDelayMs?.max).toBeGreaterThanOrEqual(result.sendDelayMs?.p95 ?? Number.NaN);
        await closeServers();
        let count = 0;
        serve((socket) => {
          waiting.push(socket);
          if (++count >= 30) for (const one of waiting.splice(0)) one.write(OK);
        });
      }
    });

    test("an open loop uses its connections again", async () => {
      serve((socket) => socket.write(OK));
      const result = await run({ keepAlive: true, loop: open(200, 500) });
      expect(kinds(result)).toEqual({ none: 100 });
      expect(result.samples.connectNs.filter((ns) => ns === 0).length).toBeGreaterThan(50);
    });

    test("a kept connection that the server gave up meanwhile costs no request", async () => {
      // Every connection gets one answer, and then its end, which crosses the next request.
      serve((socket) => {
        socket.write(OK);
        socket.end();
      });
      expect(kinds(await run({ keepAlive: true, loop: closed(200, 4) }))).toEqual({ none: 200 });
      await closeServers();
      const answered = new WeakSet<Socket>();
      serve((socket) => {
        if (answered.has(socket)) socket.resetAndDestroy();
        else socket.write(OK);
        answered.add(socket);
      });
      expect(kinds(await run({ keepAlive: true, loop: closed(200, 4) }))).toEqual({ none: 200 });
    });

    test("ends by time, and then waits for what is under way", async () => {
      serve((socket) => setTimeout(() => socket.write(OK), 50));
      const result = await run({
        keepAlive: true,
        loop: { mode: "closed", concurrency: 3, requests: null, durationMs: 200 },
      });
      expect(Object.keys(kinds(result))).toEqual(["none"]);
      expect(result.samples.error.length).toBeGreaterThanOrEqual(3);
    });

    test("is stopped: at once, or when the answers are there", async () => {
      const waiting: Socket[] = [];
      serve((socket) => waiting.push(socket));
      const cut = client.start(http({ loop: { mode: "closed", concurrency: 7, requests: null, durationMs: 60_000 } }));
      while (waiting.length < 7) await host.clock.sleep(10);
      expect(() => client.start(http({}))).toThrow(/one job at a time/);
      cut.stop({ drain: false });
      expect(kinds(await cut.result)).toEqual({ "cut-off": 7 });

      waiting.length = 0;
      const drained = client.start(
        http({ loop: { mode: "closed", concurrency: 7, requests: null, durationMs: 60_000 } }),
      );
      while (waiting.length < 7) await host.clock.sleep(10);
      drained.stop({ drain: true });
      await host.clock.sleep(300);
      expect(drained.progress()).toMatchObject({ begun: 7, finished: 0, failed: 0, recentP95Ms: null });
      for (const socket of waiting) socket.end(OK);
      expect(kinds(await drained.result)).toEqual({ none: 7 });
      expect(drained.progress()).toMatchObject({ begun: 7, finished: 7, failed: 0 });
      expect(drained.progress().recentP95Ms).toBeGreaterThan(0);
    });

    test("says that it ran out of ports", async () => {
      const range = (await inside("sysctl", "-n", "net.ipv4.ip_local_port_range")).trim();
      await inside("sysctl", "-qw", "net.ipv4.ip_local_port_range=45000 45009");
      try {
        serve(() => undefined);
        const counts = kinds(await run({ timeoutMs: 500, loop: open(1000, 40) }));
        expect(counts).toEqual({ timeout: 10, "no-port": 30 });
      } finally {
        await inside("sysctl", "-qw", `net.ipv4.ip_local_port_range=${range}`);
      }
    });

    test("says that it ran out of descriptors", async () => {
      const limited = await start(engine, `${engine}-limited`);
      try {
        const [pid = 0] = await host.cgroups.pids(`${CGROUP}/${engine}-limited`);
        execFileSync("prlimit", ["--pid", String(pid), "--nofile=100:100"]);
        serve(() => undefined);
        const counts = kinds(await limited.start(http({ timeoutMs: 500, loop: closed(150, 150) })).result);
        expect(Object.keys(counts).sort()).toEqual(["no-descriptor", "timeout"]);
        expect(counts.timeout).toBeLessThan(100);
      } finally {
        await limited.close();
      }
    });

    test("measures connects, and leaves no port behind", async () => {
      let connections = 0;
      listen(createServer(() => connections++));
      const before = (await timeWaitPorts()).length;
      const job = { kind: "connect", address: "127.0.0.1", port: PORT, timeoutMs: 1000, loop: open(100, 300) } as const;
      const result = await client.start(job).result;
      expect(kinds(result)).toEqual({ none: 30 });
      expect(connections).toBe(30);
      expect(result.samples.connectNs.every((ns) => ns > 0)).toBe(true);
      expect((await timeWaitPorts()).length).toBeLessThanOrEqual(before);
      expect(kinds(await client.start({ ...job, port: 9 }).result)).toEqual({ refused: 30 });
    });

    test("pings: replies, losses, no way", async () => {
      const job = { kind: "ping", address: "127.0.0.1", timeoutMs: 400, loop: open(50, 400) } as const;
      const answered = await client.start(job).result;
      expect(kinds(answered)).toEqual({ none: 20 });
      expect(answered.samples.totalNs.every((ns) => ns > 0)).toBe(true);
      await inside("sysctl", "-qw", "net.ipv4.icmp_echo_ignore_all=1");
      try {
        expect(kinds(await client.start(job).result)).toEqual({ timeout: 20 });
      } finally {
        await inside("sysctl", "-qw", "net.ipv4.icmp_echo_ignore_all=0");
      }
    });

    test("a client that is killed breaks its job, and says so", async () => {
      const victim = await start(engine, `${engine}-victim`);
      serve(() => undefined);
      const running = victim.start(http({}));
      for (const pid of await host.cgroups.pids(`${CGROUP}/${engine}-victim`)) process.kill(pid, "SIGKILL");
      await expect(running.result).rejects.toThrow(/ended by itself \(SIGKILL\)/);
      expect(() => victim.start(http({}))).toThrow(/closed/);
      await victim.close();
    });
  });

  test("dies with whoever started it, in the middle of a job", async () => {
    const group = `${CGROUP}/orphan`;
    const source = (path: string): string => JSON.stringify(new URL(`../../src/${path}`, import.meta.url).href);
    const script = `
      const { createRealHost } = await import(${source("host/real.ts")});
      const { createLoadClient } = await import(${source("load/client.ts")});
      const client = await createLoadClient(createRealHost(), ${JSON.stringify({ namespace: NAMESPACE, cgroup: group, cpus, nice: 0, engine: "epoll" })});
      client.start(${JSON.stringify(http({ loop: { mode: "closed", concurrency: 2, requests: null, durationMs: 3_600_000 } }))});
      setInterval(() => undefined, 1000);
    `;
    let requests = 0;
    serve((socket) => {
      requests++;
      socket.end(OK);
    });
    const parent = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], {
      stdio: "inherit",
    });
    try {
      while (requests < 100) await host.clock.sleep(10);
      expect(await host.cgroups.pids(group)).toHaveLength(1);
    } finally {
      parent.kill("SIGKILL");
    }
    while ((await host.cgroups.pids(group)).length > 0) await host.clock.sleep(10);
    await closeServers();
  });

  test("refuses a job without end, and an address that it does not speak", async () => {
    const client = await start("epoll", "refusing");
    const endless = { mode: "closed", concurrency: 1, requests: null, durationMs: null } as const;
    expect(() => client.start(http({ loop: endless }))).toThrow(/has neither/);
    expect(() => client.start(http({ address: "::1" }))).toThrow(/IPv4/);
    await client.close();
    await client.close();
  });

  test("an engine that cannot run says why", async () => {
    const nowhere = { namespace: `${NAMESPACE}-none`, cgroup: `${CGROUP}/none`, cpus, nice: 0 };
    await expect(createLoadClient(host, { ...nowhere, engine: "epoll" })).rejects.toThrow(
      /epoll cannot run here: ENOENT/,
    );
    await expect(createLoadClient(host, nowhere)).rejects.toThrow(LabError);
    expect(await host.cgroups.pids(`${CGROUP}/none`)).toEqual([]);
  });

  test("the node engine takes the place of an epoll engine that cannot run", async () => {
    const directory = mkdtempSync(join(tmpdir(), "loadtest-"));
    const before = process.env.NODE_OPTIONS;
    const place = { namespace: NAMESPACE, cgroup: `${CGROUP}/instead`, cpus, nice: 0 };
    const engineOf = async (): Promise<Engine> => {
      const client = await createLoadClient(host, place);
      try {
        const { engine, samples } = await client.start(http({ loop: closed(3) })).result;
        expect(engine).toBe(client.engine);
        expect([...samples.status]).toEqual([200, 200, 200]);
        return engine;
      } finally {
        await client.close();
      }
    };
    try {
      serve((socket) => socket.end(OK));
      expect(await engineOf()).toBe("epoll");
      // A client whose koffi has no build for this machine.
      const hook = join(directory, "no-koffi.cjs");
      writeFileSync(
        hook,
        `const Module = require("node:module");
        const load = Module._load;
        Module._load = (name, ...rest) => {
          if (name === "koffi") throw new Error("no koffi for this machine");
          return load(name, ...rest);
        };`,
      );
      process.env.NODE_OPTIONS = `${before ?? ""} --require ${hook}`;
      await expect(start("epoll", "instead")).rejects.toThrow(/epoll cannot run here: no koffi for this machine/);
      expect(await engineOf()).toBe("node");
    } finally {
      if (before === undefined) delete process.env.NODE_OPTIONS;
      else process.env.NODE_OPTIONS = before;
      await closeServers();
      rmSync(directory, { recursive: true, force: true });
    }
  });

  test("runs with the right to the CPU that it is given", async () => {
    const [cpu = 0] = cpus;
    const group = `${CGROUP}/place`;
    const client = await createLoadClient(host, {
      namespace: NAMESPACE,
      cgroup: group,
      cpus: [cpu],
      nice: 7,
      engine: "epoll",
    });
    const [pid = 0] = await host.cgroups.pids(group);
    expect(readFileSync(`/proc/${pid}/status`, "utf8")).toMatch(new RegExp(`^Cpus_allowed_list:\\s${cpu}$`, "m"));
    // proc(5): the 19th field.
    expect(readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ")[16]).toBe("7");
    await client.close();
    expect(await host.cgroups.pids(group)).toEqual([]);
  });

  test("the responder answers, and goes with its control group", async () => {
    const directory = mkdtempSync(join(tmpdir(), "loadtest-"));
    const group = `${CGROUP}/responder`;
    try {
      const options = {
        namespace: NAMESPACE,
        cgroup: group,
        cpus,
        nice: 0,
        address: "127.0.0.1",
        port: PORT,
        text: "outside\n",
        logFile: join(directory, "log"),
      };
      await (
        await startResponder(host, options)
      ).listening;
      const second = await startResponder(host, { ...options, logFile: join(directory, "log2") });
      await expect(second.listening).rejects.toThrow(/EADDRINUSE/);
      const client = await start("epoll", "responder-client");
      for (const keepAlive of [true, false]) {
        const result = await client.start(http({ keepAlive, loop: open(100, 300) })).result;
        expect(kinds(result)).toEqual({ none: 30 });
        expect(new Set(result.samples.bytes)).toEqual(new Set(["outside\n".length]));
      }
      await client.close();
      await host.cgroups.destroy(group, 10_000);
      expect(await host.cgroups.pids(group)).toEqual([]);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
});

needs(
  "root",
  "netns",
  "apache2",
)("a load client and Apache", () => {
  const directory = join(tmpdir(), `loadtest-apache-${process.pid}`);
  const group = `${CGROUP}/apache`;
  const log = join(directory, "access.log");

  beforeAll(async () => {
    mkdirSync(join(directory, "www"), { recursive: true });
    writeFileSync(join(directory, "www/index.html"), "x".repeat(1234));
    writeFileSync(join(directory, "www/large.bin"), Buffer.alloc(5_000_000));
    const modules = ["mpm_event", "authz_core"].map(
      (name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`,
    );
    writeFileSync(
      join(directory, "apache.conf"),
      [
        ...modules,
        `ServerRoot ${directory}`,
        "ServerName loadtest",
        `Listen 127.0.0.1:${PORT}`,
        `PidFile ${directory}/pid`,
        `DefaultRuntimeDir ${directory}`,
        `ErrorLog ${directory}/error.log`,
        'LogFormat "%r %>s %B %X" load',
        `TransferLog ${log}`,
        `CustomLog ${log} load`,
        `DocumentRoot ${directory}/www`,
        "MaxKeepAliveRequests 50",
        "User nobody",
        "Group nogroup",
      ]
        .filter((line) => !line.startsWith("TransferLog"))
        .join("\n"),
    );
    execFileSync("chmod", ["-R", "a+rX", directory]);
    await host.processes.start({
      argv: ["apache2", "-d", directory, "-f", "apache.conf", "-D", "FOREGROUND"],
      namespace: NAMESPACE,
      cgroup: group,
    });
  });
  afterAll(async () => {
    await host.cgroups.destroy(group, 10_000);
    rmSync(directory, { recursive: true, force: true });
  });

  test.each(["epoll", "node"] as const)("agree on what was asked and answered (%s)", async (engine) => {
    const client = await start(engine, `apache-${engine}`);
    try {
      const first = http({ loop: closed(1) });
      while (kinds(await client.start(first).result).none !== 1) await host.clock.sleep(50);
      const logged = (): number => readFileSync(log, "latin1").split("\n").length;
      const before = logged();
      const runs: [HttpJob, number, number][] = [
        [http({ keepAlive: true, path: "/index.html", loop: closed(400, 8) }), 200, 1234],
        [http({ keepAlive: false, path: "/index.html", loop: closed(200, 8) }), 200, 1234],
        [http({ keepAlive: true, path: "/large.bin", loop: closed(6, 2) }), 200, 5_000_000],
        [http({ keepAlive: true, path: "/index.html", loop: open(200, 500) }), 200, 1234],
      ];
      let asked = 0;
      for (const [job, status, bytes] of runs) {
        const result = await client.start(job).result;
        const { samples } = result;
        asked += samples.error.length;
        expect(Object.keys(kinds(result))).toEqual(["none"]);
        expect(new Set(samples.status)).toEqual(new Set([status]));
        expect(new Set(samples.bytes)).toEqual(new Set([bytes]));
      }
      const missing = await client.start(http({ path: "/missing", loop: closed(10, 2) })).result;
      expect(kinds(missing)).toEqual({ none: 10 });
      expect(new Set(missing.samples.status)).toEqual(new Set([404]));
      while (logged() < before + asked + 10) await host.clock.sleep(20);
      expect(logged()).toBe(before + asked + 10);
    } finally {
      await client.close();
    }
  });
});
