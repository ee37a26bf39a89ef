import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Host } from "../src/host/host.ts";
import { LabError } from "../src/model/error.ts";
import type { CloisonLab } from "./cloison-lab.ts";
import type { Cycle } from "./lab-cycle.ts";

const SCRIPT = resolve("bench/labs/runc-loop.sh");

/** The part of a container's configuration that names its place. */
interface Config {
  hostname?: string;
  root: { path: string };
  linux: { cgroupsPath: string; namespaces: { type: string; path?: string }[] };
}

/**
 * The same containers by a shell loop (bench/labs/runc-loop.sh). Their configurations are Cloison's own, with the same limits and
 * the same filter of system calls, and are written beforehand.
 */
export class RuncLoop {
  readonly #host: Host;
  readonly #directory: string;
  readonly #cgroup = `cloison/bench-runc-${process.pid}`;
  readonly #count: number;
  readonly #end = new AbortController();
  /** The script, while it makes them; settles when it has ended, however. */
  #making: Promise<unknown> = Promise.resolve();

  private constructor(host: Host, directory: string, count: number) {
    this.#host = host;
    this.#directory = directory;
    this.#count = count;
  }

  /** @param lab one that is up, with containers box1, box2, … */
  static async like(host: Host, lab: CloisonLab, count: number): Promise<RuncLoop> {
    const loop = new RuncLoop(host, await mkdtemp(join(tmpdir(), "cloison-bench-runc-")), count);
    await loop.#writeBundles(lab);
    return loop;
  }

  async #writeBundles(lab: CloisonLab): Promise<void> {
    await symlink(await lowerDirectory(lab), join(this.#directory, "image"));
    for (let n = 1; n <= this.#count; n++) {
      const text = await readFile(`${lab.domains}/box${n}/config.json`, "utf8");
      const config = JSON.parse(text) as Config;
      const bundle = join(this.#directory, `box${n}`);
      config.root.path = join(bundle, "root");
      config.linux.cgroupsPath = `/${this.#cgroup}/box${n}`;
      for (const namespace of config.linux.namespaces) {
        if (namespace.type === "network") namespace.path = this.#host.namespaces.path(`cloison-bench.box${n}`);
      }
      await mkdir(bundle);
      await writeFile(join(bundle, "config.json"), JSON.stringify(config));
    }
  }

  cycle(order: "sequential" | "parallel"): Cycle {
    return {
      up: async () => {
        await this.#host.cgroups.ensure(this.#cgroup);
        const { signal } = this.#end;
        const making = this.#host.processes.must({ argv: [SCRIPT, "up", order, this.#directory], signal });
        this.#making = making.catch(() => undefined);
        await making;
      },
      verify: () => this.#requireRunning(),
      down: () => this.#down(),
    };
  }

  async end(): Promise<void> {
    this.#end.abort();
    await this.#making;
    await this.#down();
    await this.#host.cgroups.destroy(this.#cgroup, 10_000);
    await rm(this.#directory, { recursive: true, force: true });
  }

  async #down(): Promise<void> {
    await this.#host.processes.must({ argv: [SCRIPT, "down", this.#directory] });
  }

  async #requireRunning(): Promise<void> {
    const argv = ["runc", "--root", join(this.#directory, "runc"), "list", "--format", "json"] as const;
    const states = JSON.parse(await this.#host.processes.must({ argv: [...argv] })) as { status: string }[] | null;
    const running = (states ?? []).filter(({ status }) => status === "running").length;
    if (running !== this.#count) throw new LabError(`${running} containers of the shell loop run, not ${this.#count}`);
  }
}

/** The built image below a container's root, from the mount's own options. */
async function lowerDirectory(lab: CloisonLab): Promise<string> {
  const table = await readFile("/proc/self/mountinfo", "utf8");
  const line = table.split("\n").find((one) => one.includes(` ${lab.domains}/box1/root `));
  const lower = /lowerdir=([^,]*)/.exec(line ?? "")?.[1];
  if (lower === undefined) throw new LabError(`box1 of ${lab.name} has no overlay`);
  return lower;
}
