import type { Host } from "../../host/host.ts";
import { LabError } from "../../model/error.ts";
import type { DomainPlan, LabPlan } from "../../model/plan.ts";
import { readUsage } from "../cgroup-usage.ts";
import { initScript } from "../init-script.ts";
import type { DomainState, Platform, Support, Workspace } from "../platform.ts";
import { execInNamespace, insideDomain } from "./exec.ts";
import { limiting, setLimits } from "./limits.ts";

const DESTROY_DEADLINE_MS = 20_000;

/** Files of one domain; only one that has services has any. */
function domainPaths(workspace: Workspace, name: string) {
  const directory = `${workspace.directory}/domains/${name}`;
  return { directory, log: `${directory}/log`, first: `${directory}/first-process`, leaseScript: `${directory}/lease` };
}

/** Sets what udhcpc has leased. The one of its package would also write the machine's own /etc/resolv.conf. */
const LEASE_SCRIPT = `#!/bin/sh
set -eu
case $1 in
  deconfig) ip -4 addr flush dev "$interface" ;;
  bound | renew)
    ip -4 addr replace "$ip/$mask" dev "$interface"
    [ -z "\${router:-}" ] || ip -4 route replace default via "\${router%% *}" dev "$interface"
    ;;
esac
`;

/**
 * Network and UTS namespaces only, for large network labs: every domain sees the machine's own files and processes, and its
 * programs are the machine's. A domain without services is its network namespace and nothing else, so that it costs nothing
 * to start. CPU, memory and process limits hold for what is run in it (`exec`, services); layers and I/O limits do not exist.
 */
export function createNamespacePlatform(): Platform {
  return {
    name: "namespace",
    merges: false,
    needsImages: false,
    packages: ["util-linux"],
    check: tryNamespace,
    list: listDomains,

    async prepare(host, workspace, plan, domain) {
      const file = Object.keys(domain.files)[0];
      if (file !== undefined) {
        throw new LabError(
          `domain ${domain.name} cannot have ${file} of its own: on platform namespace all files are the machine's`,
          {
            hint: "use platform: container for domains with sites",
          },
        );
      }
      if (initScript(domain) === null) return;
      const { directory, leaseScript } = domainPaths(workspace, domain.name);
      await workspace.record([
        { kind: "directory", path: directory },
        { kind: "cgroup", group: `${workspace.cgroup}/${domain.name}` },
        { kind: "domain", platform: "namespace", lab: plan.lab, name: domain.name },
      ]);
      await host.files.writeText(leaseScript, LEASE_SCRIPT, 0o755);
    },

    async start(host, workspace, _plan, domain) {
      const paths = domainPaths(workspace, domain.name);
      const script = initScript(domain, paths.leaseScript);
      if (script === null) return;
      if ((await firstProcess(host, paths.first)) !== null) return;
      const cgroup = await setLimits(host, workspace, domain);
      const { pid } = await host.processes.start(
        {
          argv: insideDomain(domain, ["/bin/sh", "-c", script]),
          namespace: domain.namespace,
          cgroup,
          cwd: "/",
          output: { file: paths.log },
        },
        { detached: true },
      );
      await host.files.replaceText(paths.first, `${pid} ${host.machine.startTime(pid)}\n`);
    },

    async destroy(host, workspace, _lab, name) {
      await host.cgroups.destroy(`${workspace.cgroup}/${name}`, DESTROY_DEADLINE_MS);
      await host.files.remove(domainPaths(workspace, name).directory);
    },

    exec: (host, workspace, _plan, domain, argv, options = {}) =>
      execInNamespace(host, workspace, domain, argv, options),
    logFile: (workspace, name) => domainPaths(workspace, name).log,
    usage: (host, workspace, name) => readUsage(host.cgroups, `${workspace.cgroup}/${name}`),
    limiting,
  };
}

/** A domain is there as long as its network namespace is. */
async function listDomains(host: Host, workspace: Workspace, plan: LabPlan): Promise<DomainState[]> {
  const prefix = `cloison.${plan.lab}.`;
  const others = new Set([
    plan.hostNamespace,
    plan.lanNamespace,
    ...Object.values(plan.machines).map(({ namespace }) => namespace),
  ]);
  const planned = new Map(plan.domains.map((domain) => [domain.namespace, domain]));
  const namespaces = (await host.namespaces.list()).filter((name) => name.startsWith(prefix) && !others.has(name));
  // Only those with programs have one, which is few of many.
  const folders = new Set(await host.files.list(`${workspace.directory}/domains`));
  return Promise.all(
    namespaces.map(async (namespace): Promise<DomainState> => {
      const domain = planned.get(namespace);
      const name = domain?.name ?? namespace.slice(prefix.length);
      return {
        lab: plan.lab,
        name,
        orphan: domain === undefined,
        ...(await stateOf(host, workspace, domain, name, folders)),
      };
    }),
  );
}

async function stateOf(
  host: Host,
  workspace: Workspace,
  domain: DomainPlan | undefined,
  name: string,
  folders: ReadonlySet<string>,
): Promise<Pick<DomainState, "state" | "pid">> {
  const paths = domainPaths(workspace, name);
  const pid = folders.has(name) ? await firstProcess(host, paths.first) : null;
  if (pid !== null || domain === undefined || initScript(domain) === null) return { state: "running", pid };
  return { state: (await host.files.exists(paths.first)) ? "stopped" : "prepared", pid };
}

/** Pid of the domain's first process, if it still is that process and not a later one with the same number. */
async function firstProcess(host: Host, file: string): Promise<number | null> {
  const [pid, startTime] = ((await host.files.readTextIfExists(file)) ?? "").split(" ").map(Number);
  if (pid === undefined || startTime === undefined) return null;
  return host.machine.startTime(pid) === startTime ? pid : null;
}

async function tryNamespace(host: Host): Promise<Support> {
  const namespace = `cloison._check-${host.clock.nowMs().toString(36)}.trial`;
  try {
    await host.namespaces.create([namespace]);
    const hostname = await host.processes.must({
      argv: insideDomain({ hostname: "trial" }, ["uname", "-n"]),
      namespace,
    });
    if (hostname.trim() === "trial")
      return { available: true, detail: "a program ran with its own network and host name" };
    return {
      available: false,
      reason: `a UTS namespace has the name ${hostname.trim()}`,
      remedy: "the kernel needs CONFIG_UTS_NS",
    };
  } catch (error) {
    if (!(error instanceof LabError)) throw error;
    return {
      available: false,
      reason: error.message,
      remedy: error.hint ?? "run it as root; the kernel needs CONFIG_NET_NS and CONFIG_UTS_NS",
    };
  } finally {
    await host.namespaces.remove([namespace]);
  }
}
