import type { Host, Running } from "../../host/host.ts";
import { LabError } from "../../model/error.ts";
import type { DomainPlan, LabPlan } from "../../model/plan.ts";
import { setFence } from "../fence.ts";
import type { Moving, SendOptions } from "../platform.ts";
import { guestPaths, type GuestPaths } from "./guest-paths.ts";
import { ask, copyingJob, EXPORT, JOB, migrationStatus, moveSockets, TARGET, until } from "./migration.ts";
import { askMonitor, statusOf, type MonitorCommand } from "./monitor.ts";

/** A disk of some GiB over a slow wire. */
const COPY = { pollMs: 200, deadlineMs: 4 * 3600_000 };
/** A guest that writes its memory faster than it is sent never comes to the end of this. */
const SEND = { pollMs: 5, deadlineMs: 30 * 60_000 };
/** The guest stands still meanwhile. */
const SWITCH = { pollMs: 2, deadlineMs: 60_000 };
/** QEMU's own limit, 128 MiB a second, is meant for networks. */
const BYTES_PER_SECOND = 2 ** 33;

/**
 * Lets the guest go on here when who sends it is killed (SIGTERM by the kernel when the parent dies), unless all of it was
 * sent: then it runs there. A cancelled sending lets the guest go on by itself; its taps were perhaps taken down.
 */
const GUARD = String.raw`monitor=$1 fence=$2 away=$3; shift 3
ask() {
  { printf '%s\n' '{"execute":"qmp_capabilities"}' "$@"; sleep 0.3; } | socat - "UNIX-CONNECT:$monitor"
}
go_on() {
  ask '{"execute":"block-job-cancel","arguments":{"device":"move","force":true}}'
  ask '{"execute":"blockdev-del","arguments":{"node-name":"move-target"}}'
  ask '{"execute":"migrate-set-capabilities","arguments":{"capabilities":[{"capability":"pause-before-switchover","state":false}]}}'
  nsenter --net="$fence" sh -c 'for tap; do ip link set "$tap" up; done' fence "$@"
  ask '{"execute":"cont"}'
  rm -f "$away"
  exit 0
}
end() {
  for try in 1 2 3 4 5 6 7 8 9 10 11 12; do
    said=$(ask '{"execute":"query-migrate"}')
    case $said in
      *'"status": "completed"'*)
        case $(ask '{"execute":"query-status"}') in *postmigrate*) exit 0 ;; esac
        go_on "$@"
        ;;
      *'"status": "setup"'* | *'"status": "active"'* | *'"status": "pre-switchover"'*) ask '{"execute":"migrate_cancel"}' ;;
      *'"status": "device"'* | *'"status": "cancelling"'*) ;;
      *'"return"'*) go_on "$@" ;;
    esac
    sleep 0.5
  done
}
sleep 0 &
trap 'end "$@"' TERM INT HUP
echo ready
while :; do
  sleep 60 &
  wait $!
done`;

export const send: Moving["send"] = async (host, workspace, plan, domain, options) => {
  const { name } = domain;
  const paths = guestPaths(workspace, name);
  const { onProgress, onSwitching, signal } = options;
  const status = async () => migrationStatus(host, name, paths);
  await copyDisk(host, name, paths, options);
  const guard = await startGuard(host, plan, domain, paths);
  try {
    onProgress("memory");
    await askMonitor(host, paths, [
      { execute: "migrate-set-parameters", arguments: { "max-bandwidth": BYTES_PER_SECOND } },
      pauseBeforeSwitchover(true),
      { execute: "migrate", arguments: { uri: `unix:${moveSockets(paths).memory}` } },
    ]);
    await until(host, `sending the memory of domain ${name}`, { ...SEND, signal }, async () => {
      if ((await copyingJob(host, name, paths)) === null) throw lost(name);
      const now = await status();
      if (now === "failed" || now === "cancelled") throw lost(name);
      return now === "pre-switchover";
    });
    // It stands still. A copying that is complete and cancelled leaves a complete copy.
    await ask(host, name, paths, { execute: "block-job-cancel", arguments: { device: JOB } });
    await until(
      host,
      "the end of the disk's copying",
      SWITCH,
      async () => (await copyingJob(host, name, paths)) === null,
    );
    await ask(host, name, paths, { execute: "blockdev-del", arguments: { "node-name": TARGET } });
    await onSwitching();
    // Whoever watches must not start it when this QEMU ends: it may run there.
    await host.files.writeText(paths.shutDown, "");
    await setFence(host, plan, domain, "down");
    await ask(host, name, paths, { execute: "migrate-continue", arguments: { state: "pre-switchover" } });
    await until(host, "the switching", SWITCH, async () => {
      const now = await status();
      if (now === "failed" || now === "cancelled") throw lost(name);
      return now === "completed";
    });
  } finally {
    // Whoever called does better what it would do.
    guard.kill("SIGKILL");
    await guard.exited;
  }
};

export const settle: Moving["settle"] = async (host, workspace, plan, domain) => {
  const { name } = domain;
  const paths = guestPaths(workspace, name);
  if ((await host.cgroups.pids(`${workspace.cgroup}/${name}`)).length === 0) return "gone";
  let status = "none";
  await until(host, "the end of the sending", SWITCH, async () => {
    status = await migrationStatus(host, name, paths);
    if (["setup", "active", "pre-switchover"].includes(status)) {
      await ask(host, name, paths, { execute: "migrate_cancel" });
      return false;
    }
    return status !== "device" && status !== "cancelling";
  });
  // It may have been completed long ago: a snapshot was.
  const [state] = (await askMonitor(host, paths, [{ execute: "query-status" }])) ?? [];
  if (status === "completed" && statusOf(state) === "postmigrate") return "sent";
  await endCopying(host, name, paths);
  await goOn(host, plan, domain, paths);
  return "here";
};

export const takeBack: Moving["takeBack"] = (host, workspace, plan, domain) =>
  goOn(host, plan, domain, guestPaths(workspace, domain.name));

async function copyDisk(
  host: Host,
  name: string,
  paths: GuestPaths,
  { onProgress, signal }: SendOptions,
): Promise<void> {
  await askMonitor(host, paths, [
    {
      execute: "blockdev-add",
      arguments: {
        driver: "nbd",
        "node-name": TARGET,
        export: EXPORT,
        server: { type: "unix", path: moveSockets(paths).disk },
      },
    },
    {
      execute: "blockdev-mirror",
      // What the guest writes meanwhile is written there, too, before it is told that it is.
      arguments: { "job-id": JOB, device: "root", target: TARGET, sync: "full", "copy-mode": "write-blocking" },
    },
  ]);
  await until(host, `copying the disk of domain ${name}`, { ...COPY, signal }, async () => {
    const job = await copyingJob(host, name, paths);
    if (job === null) throw lost(name);
    onProgress(`disk ${Math.floor(job.part * 100)} %`);
    return job.ready;
  });
}

async function endCopying(host: Host, name: string, paths: GuestPaths): Promise<void> {
  if ((await copyingJob(host, name, paths)) !== null) {
    await ask(host, name, paths, { execute: "block-job-cancel", arguments: { device: JOB, force: true } });
    await until(
      host,
      "the end of the disk's copying",
      SWITCH,
      async () => (await copyingJob(host, name, paths)) === null,
    );
  }
  const nodes = await ask(host, name, paths, { execute: "query-named-block-nodes", arguments: { flat: true } });
  if (JSON.stringify(nodes).includes(`"node-name":"${TARGET}"`)) {
    await ask(host, name, paths, { execute: "blockdev-del", arguments: { "node-name": TARGET } });
  }
}

async function goOn(host: Host, plan: LabPlan, domain: DomainPlan, paths: GuestPaths): Promise<void> {
  // A snapshot would wait for ever.
  await ask(host, domain.name, paths, pauseBeforeSwitchover(false));
  await setFence(host, plan, domain, "up");
  const status = statusOf(await ask(host, domain.name, paths, { execute: "query-status" }));
  if (status !== "running") await ask(host, domain.name, paths, { execute: "cont" });
  await host.files.remove(paths.shutDown);
}

function pauseBeforeSwitchover(state: boolean): MonitorCommand {
  const capabilities = [{ capability: "pause-before-switchover", state }];
  return { execute: "migrate-set-capabilities", arguments: { capabilities } };
}

async function startGuard(host: Host, plan: LabPlan, { vifs }: DomainPlan, paths: GuestPaths): Promise<Running> {
  let say = () => undefined as void;
  const ready = new Promise<void>((resolve) => (say = resolve));
  const fence = host.namespaces.path(plan.hostNamespace);
  const guard = await host.processes.start({
    argv: ["sh", "-c", GUARD, "guard", paths.monitor, fence, paths.shutDown, ...vifs.map(({ vif }) => vif)],
    output: { stdout: () => say() },
  });
  await Promise.race([ready, guard.exited]);
  return guard;
}

function lost(name: string): LabError {
  return new LabError(`domain ${name} could not be sent: QEMU lost the other one`, {
    hint: "the host it was to go to may be out of reach, or have no room",
  });
}
