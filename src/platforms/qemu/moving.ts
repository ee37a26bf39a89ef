import * as z from "zod";
import { LabError } from "../../model/error.ts";
import { machineForm } from "../../model/machine-form.ts";
import { prepareGuestFiles } from "../guest/prepare-files.ts";
import { hardwareSchema, requireAlikeHere } from "../guest/saved-machine.ts";
import type { Moving } from "../platform.ts";
import { chooseAccelerator } from "./accelerator.ts";
import { RUN, startEmulator } from "./boot.ts";
import { limitEmulator } from "./emulator-limits.ts";
import { guestPaths } from "./guest-paths.ts";
import { plannedHardware, runningHardware } from "./machine-hardware.ts";
import { EXPORT, JOB, moveFolder, moveSockets, rootNode, until } from "./migration.ts";
import { askMonitor, statusOf } from "./monitor.ts";
import { send, settle, takeBack } from "./send.ts";

const measureSchema = z.looseObject({ required: z.number() });
const infoSchema = z.looseObject({ "virtual-size": z.number() });

const COMES_UP = { pollMs: 20, deadlineMs: 60_000 };
const ARRIVES = { pollMs: 20, deadlineMs: 60_000 };

/**
 * Live migration: the disk is mirrored to one that the QEMU there serves (NBD), then memory follows until little is missing;
 * the guest stands still for the rest. The decision is the sending QEMU's: once it has sent all it runs no more, and before
 * that the other one has nothing to run.
 */
export const qemuMoving: Moving = {
  async describe(host, workspace, plan, domain) {
    const { disk } = guestPaths(workspace, domain.name);
    const tell = async (...argv: string[]) =>
      JSON.parse(
        await host.processes.must({ argv: ["qemu-img", ...argv, "--force-share", "--output=json", disk] }),
      ) as unknown;
    return {
      sizeBytes: infoSchema.parse(await tell("info"))["virtual-size"],
      roomBytes: measureSchema.parse(await tell("measure", "-O", "qcow2")).required,
      traits: await runningHardware(host, workspace, plan, domain),
    };
  },

  async requireFitting(host, workspace, plan, domain, { traits }) {
    const here = await plannedHardware(host, workspace, plan, domain);
    requireAlikeHere(domain.name, hardwareSchema.parse(traits), here);
  },

  async prepareToReceive(host, workspace, plan, domain, { sizeBytes }) {
    const paths = guestPaths(workspace, domain.name);
    await prepareGuestFiles(host, workspace, plan, domain, paths);
    // All of it will be written: nothing is read of the image below, which may be of another size here.
    const { disk } = machineForm(workspace.rootfs(domain), domain.limits.diskBytes);
    await host.processes.must({
      argv: ["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", disk, paths.disk, `${sizeBytes}`],
    });
  },

  async receive(host, workspace, plan, domain) {
    const paths = guestPaths(workspace, domain.name);
    // What comes is not to be written at the domain's own pace.
    const launch = { shell: RUN, more: ["-incoming", "defer"], isWaiting: true } as const;
    await startEmulator(host, workspace, plan, domain, launch, async ({ exited }) => {
      let isGone = false;
      void exited.then(() => (isGone = true));
      await until(host, "QEMU's start", COMES_UP, async () => {
        if (isGone) throw new LabError(`domain ${domain.name} cannot be received: QEMU did not start`);
        return (await host.files.exists(paths.monitor)) && (await askMonitor(host, paths, [])) !== null;
      });
    });
    // Whoever watches must not start it when this QEMU ends: it runs where it comes from.
    await host.files.writeText(paths.shutDown, "");
    const sockets = moveSockets(paths);
    await host.processes.must({ argv: ["install", "-d", "-o", "nobody", "-m", "0700", moveFolder(paths)] });
    const node = await rootNode(host, domain.name, paths);
    await askMonitor(host, paths, [
      { execute: "nbd-server-start", arguments: { addr: { type: "unix", data: { path: sockets.disk } } } },
      {
        execute: "block-export-add",
        arguments: { type: "nbd", id: JOB, "node-name": node, name: EXPORT, writable: true },
      },
      { execute: "migrate-incoming", arguments: { uri: `unix:${sockets.memory}` } },
    ]);
  },

  user: "nobody",
  sockets: (workspace, name) => moveSockets(guestPaths(workspace, name)),
  send,
  settle,
  takeBack,

  async arrive(host, workspace, _plan, domain, { isSent }) {
    const { name, limits, machine } = domain;
    const paths = guestPaths(workspace, name);
    const group = `${workspace.cgroup}/${name}`;
    const deadline = host.clock.monotonicMs() + (isSent ? ARRIVES.deadlineMs : 0);
    for (;;) {
      if ((await host.cgroups.pids(group)).length === 0) return false;
      const [answer] = (await askMonitor(host, paths, [{ execute: "query-status" }])) ?? [];
      if (statusOf(answer) === "running") break;
      if (host.clock.monotonicMs() >= deadline) return false;
      await host.clock.sleep(ARRIVES.pollMs);
    }
    await host.files.remove(paths.shutDown);
    await askMonitor(host, paths, [{ execute: "nbd-server-stop" }]);
    await host.files.remove(moveFolder(paths));
    await limitEmulator(host, group, limits, await chooseAccelerator(host, machine?.accel ?? "auto"), "run");
    return true;
  },
};
