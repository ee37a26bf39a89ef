import type { Support } from "../platforms/platform.ts";
import { STRESSOR_KINDS } from "../model/experiment.ts";
import { bridgeNetwork } from "../networks/bridge.ts";
import { applyNetwork } from "../netstate/apply.ts";
import { observeNetwork } from "../netstate/observe.ts";
import { withTrials } from "../lab/trials.ts";
import { createLoadClient } from "../load/client.ts";
import { checkStressor } from "../load/stressors.ts";
import { LabError } from "../model/error.ts";
import { listImages, storePaths } from "../images/image-store.ts";
import { RECIPES } from "../images/recipes.ts";
import { imageStore } from "../lab/paths.ts";
import { tryKernelVlan, trySwitch } from "../switch/try-switch.ts";
import type { AppContext } from "./context.ts";
import { namespaceName } from "../plan/namespace-name.ts";

/** One thing that this machine can do or not, found by trying it. */
export type CheckRow = Support & { kind: "platform" | "network" | "probe" | "stressor"; name: string };

/** Name of the lab that checks play in; no lab file can have it. */
const CHECK_LAB = "_check";

/** Tries every platform, network backend, probe and stressor. */
export async function check(app: AppContext, onTry: (what: string) => void): Promise<CheckRow[]> {
  // Without root there is no lock to be had, and hardly anything that works.
  return app.isRoot ? withTrials(app, () => tryAll(app, onTry)) : tryAll(app, onTry);
}

async function tryAll(app: AppContext, onTry: (what: string) => void): Promise<CheckRow[]> {
  const rows: CheckRow[] = [];
  const attempt = async (kind: CheckRow["kind"], name: string, work: () => Promise<Support>) => {
    onTry(`${kind} ${name}`);
    rows.push({ kind, name, ...(await work()) });
  };
  for (const platform of Object.values(app.platforms))
    await attempt("platform", platform.name, () => platform.check(app.host));
  await attempt("network", "bridge", () => tried(() => tryBridge(app)));
  await attempt("network", "vlan (kernel)", () => tried(() => tryKernelVlan(app.host)));
  await attempt("network", "vlan (Open vSwitch)", () => tried(() => trySwitch(app.host, app.paths.run)));
  await attempt("network", "delay and loss", () => tried(() => tryNetem(app)));
  for (const engine of ["epoll", "node"] as const) {
    await attempt("probe", `http, connect, ping (${engine})`, () => tried(() => tryEngine(app, engine)));
  }
  const root = await stressorImage(app);
  for (const kind of STRESSOR_KINDS) await attempt("stressor", kind, () => checkStressor(app.host, kind, root));
  return rows;
}

/** Root of the newest image that has the stressors' tools; null: none is built. */
async function stressorImage({ host, paths }: AppContext): Promise<string | null> {
  const store = imageStore(paths);
  const image = (await listImages(host, store)).find(({ packages }) =>
    RECIPES.stress.packages.every((name) => name in packages),
  );
  return image === undefined ? null : storePaths(store).rootfs(image.key);
}

/** The answer of something that throws a LabError when it does not work. */
async function tried(work: () => Promise<string>): Promise<Support> {
  try {
    return { available: true, detail: await work() };
  } catch (error) {
    if (!(error instanceof LabError)) throw error;
    return { available: false, reason: error.message, remedy: error.hint ?? "see the message" };
  }
}

/** Builds a bridge with two machines on it, reads it back, removes it. */
async function tryBridge({ host }: AppContext): Promise<string> {
  const [lan, dom0, guest] = ["lan", "host", "guest"].map((part) => namespaceName(CHECK_LAB, part)) as [
    string,
    string,
    string,
  ];
  const wanted = bridgeNetwork({
    index: 0,
    prefix: 24,
    lanNamespace: lan,
    hostNamespace: dom0,
    gateway: { address: "192.0.2.1", mac: "00:16:3e:00:00:01" },
    host: { address: "192.0.2.2", mac: "00:16:3e:00:00:02" },
    machines: [],
    vifs: [
      {
        vif: "vif1.0",
        guest: "eth0",
        mac: "00:16:3e:00:00:03",
        address: "192.0.2.3",
        configuration: "static",
        namespace: guest,
      },
    ],
    rpsCpus: { host: [], guest: [], lan: [] },
  });
  const names = Object.keys(wanted);
  await host.namespaces.create(names);
  try {
    await applyNetwork(host, wanted, { fresh: names });
    await observeNetwork(host, names);
    return "namespaces, veth and bridge made, read back and removed";
  } finally {
    await host.namespaces.remove(names);
  }
}

/** Has the kernel delay what a loopback sends. */
async function tryNetem({ host }: AppContext): Promise<string> {
  const namespace = namespaceName(CHECK_LAB, "netem");
  await host.namespaces.create([namespace]);
  try {
    const argv: [string, ...string[]] = ["tc", "qdisc", "add", "dev", "lo", "root", "netem", "delay", "1ms"];
    const { code, stderr } = await host.processes.run({ argv, namespace });
    if (code === 0) return "a netem queue was made and removed";
    throw new LabError(`the kernel has no netem: ${stderr.trim()}`, {
      hint: "modprobe sch_netem, where the kernel has the module; rates work without",
    });
  } finally {
    await host.namespaces.remove([namespace]);
  }
}

/** Starts a client in a namespace of its own and has it refused by an address of its loopback. */
async function tryEngine({ host }: AppContext, engine: "epoll" | "node"): Promise<string> {
  const namespace = namespaceName(CHECK_LAB, "station");
  const cgroup = `cloison/${CHECK_LAB}`;
  await host.namespaces.create([namespace]);
  try {
    const client = await createLoadClient(host, { namespace, cgroup, cpus: host.machine.cpus, nice: 0, engine });
    const job = {
      kind: "connect",
      address: "127.0.0.1",
      port: 9,
      timeoutMs: 500,
      loop: { mode: "open", rateHz: 10, durationMs: 100 },
    } as const;
    const { samples } = await client.start(job).result;
    await client.close();
    return `a client in a namespace sent ${samples.error.length} connects`;
  } finally {
    await host.cgroups.destroy(cgroup, 5000);
    await host.namespaces.remove([namespace]);
  }
}
