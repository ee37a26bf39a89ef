import type { Command, Host } from "../../host/host.ts";
import type { DomainPlan } from "../../model/plan.ts";
import type { ExecOptions, Exit, Workspace } from "../platform.ts";
import { endWhenAsked, killSession } from "../process-session.ts";
import { userIds } from "../user-ids.ts";
import { setLimits } from "./limits.ts";

/**
 * The argv that runs a program under the domain's host name. A UTS namespace made for each program costs nothing as long as
 * none runs, while one kept for the domain would need a file mounted for it.
 */
export function insideDomain(domain: Pick<DomainPlan, "hostname">, argv: string[]): [string, ...string[]] {
  // Not hostname(1): it is in a package that may be missing. /proc/sys is the writer's own UTS namespace.
  const script = 'printf %s "$0" >/proc/sys/kernel/hostname && exec "$@"';
  return ["unshare", "--uts", "sh", "-c", script, domain.hostname, ...argv];
}

/** Runs a program of the machine in the domain's network, under its name and limits. */
export async function execInNamespace(
  host: Host,
  workspace: Workspace,
  domain: DomainPlan,
  argv: [string, ...string[]],
  options: ExecOptions,
): Promise<Exit> {
  const cgroup = await setLimits(host, workspace, domain);
  const command: Command = {
    argv: insideDomain(domain, [...(await asUser(host, domain, options.user)), ...argv]),
    namespace: domain.namespace,
    cgroup,
    output: options.output ?? "capture",
    ...(options.env === undefined ? {} : { env: options.env }),
    ...(options.stdin === undefined ? {} : { stdin: options.stdin }),
    ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  };
  const running = await host.processes.start(command);
  const over = new AbortController();
  const [finished] = await Promise.all([
    running.exited.finally(() => over.abort()),
    endWhenAsked(host, options.end, over.signal, async () => running.pid),
  ]);
  // What it started may have left its process group, never its session unless it meant to live on.
  if (finished.timedOut || options.signal?.aborted === true) await killSession(host, cgroup, running.pid);
  options.signal?.throwIfAborted();
  return finished;
}

async function asUser(host: Host, domain: DomainPlan, user: string | undefined): Promise<string[]> {
  if (user === undefined) return [];
  const [uid = "", gid = uid] = (await userIds(host, "", domain, user)).split(":");
  return ["setpriv", "--reuid", uid, "--regid", gid, "--clear-groups", "--"];
}
