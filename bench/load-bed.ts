import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Host } from "../src/host/host.ts";
import { ExitCode, LabError } from "../src/model/error.ts";

const PORT = 8080;
const END_MS = 10_000;

/**
 * One namespace with a fast server (nginx, one worker) on the first CPU; clients run on the last one, in control groups that
 * count their CPU time. Over loopback: docs/decisions/030-load-client-over-loopback.md.
 */
export class LoadBed {
  readonly host: Host;
  readonly address = "127.0.0.1";
  readonly port = PORT;
  readonly url = `http://${this.address}:${PORT}/`;
  readonly namespace = `cloison-bench-load-${process.pid}`;
  /** The clients' CPU. */
  readonly cpu: number;
  private readonly serverCpu: number;
  private readonly cgroup = `cloison/bench-load-${process.pid}`;
  private made: Promise<void> | null = null;

  /** Throws LabError where there is but one CPU. */
  constructor(host: Host) {
    const { cpus } = host.machine;
    const [first, last] = [cpus[0], cpus.at(-1)];
    if (first === undefined || last === undefined || first === last) {
      throw new LabError("the load client is measured with the server on another CPU, and there is but one", {
        exit: ExitCode.unavailable,
      });
    }
    this.host = host;
    this.cpu = last;
    this.serverCpu = first;
  }

  /** Resolves when the server listens. */
  make(): Promise<void> {
    this.made ??= this.build();
    return this.made;
  }

  /** From any state: while it is being made, made in part, gone. */
  async remove(): Promise<void> {
    // Whatever kept it from being made was told by `make`.
    await this.made?.catch(() => undefined);
    await this.host.cgroups.destroy(this.cgroup, END_MS);
    await this.host.namespaces.remove([this.namespace]);
  }

  /** Control group of a client. */
  group(name: string): string {
    return `${this.cgroup}/${name}`;
  }

  /** CPU time of all that ever ran in a client's group; 0 before there is one. */
  async cpuSeconds(name: string): Promise<number> {
    const { cgroups } = this.host;
    if (cgroups.version === 1) {
      return Number((await cgroups.read(this.group(name), "cpuacct", "cpuacct.usage")) ?? 0) / 1e9;
    }
    const text = (await cgroups.read(this.group(name), "cpu", "cpu.stat")) ?? "usage_usec 0";
    return Number(/^usage_usec (\d+)$/m.exec(text)?.[1] ?? Number.NaN) / 1e6;
  }

  private async build(): Promise<void> {
    const { host, namespace } = this;
    await host.namespaces.create([namespace]);
    await host.processes.must({ argv: ["ip", "link", "set", "lo", "up"], namespace });
    const directory = mkdtempSync(join(tmpdir(), "cloison-bench-load-"));
    try {
      const configuration = join(directory, "nginx.conf");
      writeFileSync(configuration, nginxConfiguration(directory, `${this.address}:${PORT}`));
      await host.processes.start({
        argv: ["nginx", "-e", join(directory, "error.log"), "-c", configuration],
        namespace,
        cgroup: this.group("server"),
        cpus: [this.serverCpu],
      });
      await this.untilListening();
    } finally {
      // nginx has read its configuration; what else it holds open goes with it.
      rmSync(directory, { recursive: true, force: true });
    }
  }

  private async untilListening(): Promise<void> {
    const { host, namespace } = this;
    for (let tries = 0; tries < 100; tries++) {
      if ((await host.processes.must({ argv: ["ss", "-Hltn", `sport = ${PORT}`], namespace })) !== "") return;
      await host.clock.sleep(50);
    }
    throw new LabError("nginx does not listen", { exit: ExitCode.unavailable });
  }
}

function nginxConfiguration(directory: string, listen: string): string {
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
    listen ${listen} backlog=4096;
    location / { return 200 "cloison measures its load client\\n"; }
  }
}
`;
}
