import { dirname } from "node:path";
import { workspaceOf, type StoredLab } from "../../lab/context.ts";
import type { Move } from "../../lab/moves.ts";
import { backupDirectory } from "../../lab/paths.ts";
import { ExitCode, LabError } from "../../model/error.ts";
import type { DomainPlan } from "../../model/plan.ts";
import { setFence } from "../../platforms/fence.ts";
import type { Layers, MovedDomain, Moving, Pausing, SendOptions } from "../../platforms/platform.ts";
import type { AppContext } from "../context.ts";
import type { Parcel, PartHost } from "./parcel.ts";
import { startProbe, type SilenceProbe } from "./silence.ts";

/** How the domains of a platform go to another host, as the host that they leave sees it. */
export interface Way {
  /** Debian packages whose programs it runs here. */
  packages: string[];
  describe(domain: DomainPlan): Promise<MovedDomain>;
  /** @throws LabError when it was not sent; then `settle` decides */
  send(domain: DomainPlan, there: PartHost, parcel: Parcel, options: SendOptions): Promise<void>;
  /** As `settle` of a platform that moves. */
  settle(move: Move): ReturnType<Moving["settle"]>;
  takeBack(domain: DomainPlan): Promise<void>;
  /** Begins to watch for how long it does not answer; null: nobody can tell. */
  probe(domain: DomainPlan): Promise<SilenceProbe | null>;
}

/** @throws LabError when there is none */
export function wayOf(app: AppContext, stored: StoredLab): Way {
  const { moving, layers, pausing, merges } = app.platforms[stored.plan.platform];
  if (moving !== undefined) return live(app, stored, moving);
  if (layers !== undefined && pausing !== undefined && !merges) return stopped(app, stored, layers, pausing);
  throw new LabError(`domains of platform ${stored.plan.platform} cannot be moved`, {
    hint: "cloison up FILE --platform qemu, or container, makes domains that can",
    exit: ExitCode.unavailable,
  });
}

/** It goes on while it is sent. */
function live(app: AppContext, { plan, roots }: StoredLab, moving: Moving): Way {
  const { host } = app;
  const workspace = workspaceOf(app, plan.lab, roots);
  return {
    packages: ["socat"],
    describe: (domain) => moving.describe(host, workspace, plan, domain),

    async send(domain, there, parcel, options) {
      const close: (() => Promise<void>)[] = [];
      try {
        options.onProgress("making it there");
        const sockets = await there.ask("receive", plan.lab, parcel);
        for (const [kind, here] of Object.entries(moving.sockets(workspace, domain.name))) {
          await host.files.makeDirectory(dirname(here));
          close.push(await there.connection.forward(here, sockets[kind] ?? ""));
          await host.processes.must({ argv: ["chown", moving.user, here] });
        }
        await moving.send(host, workspace, plan, domain, options);
      } finally {
        for (const one of close) await one();
      }
    },

    settle: ({ domain }) => moving.settle(host, workspace, plan, domain),
    takeBack: (domain) => moving.takeBack(host, workspace, plan, domain),
    probe: (domain) => startProbe(host, plan, domain),
  };
}

/** It stands still, what it wrote is copied, and it starts there. */
function stopped(app: AppContext, { plan, roots }: StoredLab, layers: Layers, pausing: Pausing): Way {
  const { host } = app;
  const { lab } = plan;
  const workspace = workspaceOf(app, lab, roots);
  const goOn = async (domain: DomainPlan) => {
    await setFence(host, plan, domain, "up");
    await pausing.resume(host, workspace, domain.name);
  };
  let pausedMs: number | null = null;
  let longestMs = 0;
  const runs = async ({ name }: DomainPlan) => (await host.cgroups.pids(`${workspace.cgroup}/${name}`)).length > 0;
  return {
    packages: layers.packages,
    // How much it is, is known when it has been packed.
    describe: async () => ({ sizeBytes: 0, roomBytes: 0, traits: null }),

    async send(domain, there, parcel, { onProgress, onSwitching, signal }) {
      const directory = backupDirectory(app.paths, lab);
      const layer = `${directory}/${domain.name}.tar.zst`;
      try {
        await host.files.makeDirectory(directory);
        const { layer: to = "" } = await there.ask("receive", lab, parcel);
        onProgress("what it wrote");
        pausedMs = host.clock.monotonicMs();
        await pausing.pause(host, workspace, domain.name);
        await layers.save(host, workspace, plan, domain, layer, signal);
        await there.connection.send(layer, to);
        await onSwitching();
        await setFence(host, plan, domain, "down");
      } finally {
        await host.files.remove(directory);
      }
    },

    async settle({ domain, phase }) {
      if (!(await runs(domain))) return "gone";
      if (phase !== "copying") return "sent";
      await goOn(domain);
      return "here";
    },
    takeBack: goOn,

    // Its kernel is the host's, which answers pings for programs that stand still, and takes connections.
    probe: async () => ({
      async stop() {
        longestMs = Math.round(host.clock.monotonicMs() - (pausedMs ?? host.clock.monotonicMs()));
      },
      heard: () => ({ longestMs, unanswered: null }),
    }),
  };
}
