import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Host } from "../../src/host/host.ts";
import { createRealHost } from "../../src/host/real.ts";
import type { DomainPlan, LabPlan } from "../../src/model/plan.ts";
import type { DomainState, ExecOptions, Exit, Platform, Undo, Workspace } from "../../src/platforms/platform.ts";
import { smallDomain, smallPlan } from "./small-plan.ts";

/** A lab without networks, in a scratch directory: what a platform's tests need around it. */
export interface ScratchLab {
  host: Host;
  lab: string;
  /** The lab's control group. */
  group: string;
  directory: string;
  workspace: Workspace;
  plan: LabPlan;
  /** What was recorded for undoing. */
  undos: Undo[];
  /** Makes the plan and its namespaces. */
  build(...domains: DomainPlan[]): Promise<DomainPlan[]>;
  /** Builds, prepares and starts one domain, named `one`. */
  up(changes?: Partial<DomainPlan>): Promise<DomainPlan>;
  run(domain: DomainPlan, script: string, options?: ExecOptions): Promise<Exit>;
  states(): Promise<Record<string, DomainState>>;
  /** What the lab does around a platform. */
  tearDown(): Promise<void>;
  /** Everything of the lab that is still on the machine. */
  residue(): Promise<string[]>;
  /** Removes the scratch directory. */
  close(): void;
}

/**
 * @param common of every domain that `up` makes
 * @param makeRootfs makes a root file system in the directory, returns its path; null: domains have none of their own
 */
export async function createScratchLab(
  lab: string,
  platform: Platform,
  makeRootfs: ((directory: string) => string | Promise<string>) | null,
  common: Partial<DomainPlan> = {},
): Promise<ScratchLab> {
  const host = createRealHost();
  const group = `cloison/${lab}`;
  const directory = mkdtempSync(join(tmpdir(), "cloison-platform-"));
  const rootfs = (await makeRootfs?.(join(directory, "rootfs"))) ?? "/";
  const undos: Undo[] = [];
  const workspace: Workspace = {
    directory: join(directory, "lab"),
    rootfs: () => rootfs,
    cgroup: group,
    record: async (steps) => void undos.push(...steps),
  };
  const scratch: ScratchLab = {
    host,
    lab,
    group,
    directory,
    workspace,
    undos,
    plan: smallPlan(lab, platform.name, []),

    async build(...domains) {
      scratch.plan = smallPlan(lab, platform.name, domains);
      await host.namespaces.create(scratch.plan.domains.map(({ namespace }) => namespace));
      return scratch.plan.domains;
    },

    async up(changes = {}) {
      const [domain] = await scratch.build(smallDomain(lab, "one", { ...common, ...changes }));
      if (domain === undefined) throw new Error("no domain");
      await platform.prepare(host, workspace, scratch.plan, domain);
      await platform.start(host, workspace, scratch.plan, domain);
      return domain;
    },

    run: (domain, script, options = {}) =>
      platform.exec(host, workspace, scratch.plan, domain, ["sh", "-c", script], options),

    async states() {
      const list = await platform.list(host, workspace, scratch.plan);
      return Object.fromEntries(list.map((domain) => [domain.name, domain]));
    },

    async tearDown() {
      await Promise.all(scratch.plan.domains.map((domain) => platform.destroy(host, workspace, lab, domain.name)));
      await host.cgroups.destroy(group, 10_000);
      await host.namespaces.remove(scratch.plan.domains.map(({ namespace }) => namespace));
      undos.length = 0;
    },

    async residue() {
      // v2 is mounted here itself, v1's hierarchies below.
      const hierarchies = ["", ...readdirSync("/sys/fs/cgroup")].map((name) => join("/sys/fs/cgroup", name, group));
      const loops = execFileSync("losetup", ["-a"], { encoding: "utf8" });
      return [
        ...(await host.mounts.list()).filter(({ target }) => target.startsWith(directory)).map(({ target }) => target),
        ...hierarchies.filter((path) => existsSync(path)),
        ...loops.split("\n").filter((line) => line.includes(directory)),
        ...(await host.namespaces.list()).filter((namespace) => namespace.startsWith(`cloison.${lab}.`)),
        ...["runc", "qemu", "xen"]
          .map((platform) => `/run/cloison/${platform}/${lab}`)
          .filter((path) => existsSync(path)),
        ...(await host.files.list(join(directory, "lab/domains"))),
      ];
    },

    close: () => rmSync(directory, { recursive: true, force: true }),
  };
  return scratch;
}
