import type { Command, Host } from "../host/host.ts";
import { ExitCode, LabError } from "../model/error.ts";
import { databaseSocket, openFlowSocket, type SwitchInstance } from "./instance.ts";

/** Debian package of all programs. It starts a service of its own where policy-rc.d does not forbid it; none is used. */
export const SWITCH_PACKAGE = "openvswitch-switch";

/** A reconfiguration takes 0.1 s; a daemon that has died would be waited for endlessly. */
const TIMEOUT_S = 10;

/** Since OpenFlow 1.4 flows can be replaced in one transaction. */
const OPENFLOW = ["-O", "OpenFlow14"];

/** Without these the programs use the machine's own instance, and put sockets and logs beside its. */
export function directoriesOf({ directory }: SwitchInstance): Record<string, string> {
  return {
    OVS_RUNDIR: directory,
    OVS_LOGDIR: directory,
    OVS_DBDIR: directory,
    OVS_SYSCONFDIR: directory,
  };
}

/** Runs one of Open vSwitch's programs. Throws LabError; when it is missing, with the package that has it. */
export async function runSwitchProgram(host: Host, instance: SwitchInstance, command: Command): Promise<string> {
  try {
    return await host.processes.must({
      ...command,
      env: directoriesOf(instance),
      timeoutMs: (TIMEOUT_S + 2) * 1000,
    });
  } catch (error) {
    if (!(error instanceof LabError) || error.exit !== ExitCode.unavailable) throw error;
    throw new LabError(error.message, {
      hint: `apt-get install ${SWITCH_PACKAGE}`,
      exit: ExitCode.unavailable,
      cause: error,
    });
  }
}

/** One database transaction; returns when ovs-vswitchd has carried it out, unless it does not run yet (`--no-wait`). */
export async function changeDatabase(host: Host, instance: SwitchInstance, args: string[]): Promise<void> {
  const argv: Command["argv"] = [
    "ovs-vsctl",
    `--db=unix:${databaseSocket(instance)}`,
    `--timeout=${TIMEOUT_S}`,
    "-vsyslog:off",
    ...args,
  ];
  await runSwitchProgram(host, instance, { argv });
}

/** Answers of a read-only transaction (RFC 7047, 4.1.3), one for each operation. */
export async function askDatabase(host: Host, instance: SwitchInstance, operations: unknown[]): Promise<unknown> {
  const transaction = JSON.stringify(["Open_vSwitch", ...operations]);
  const socket = `unix:${databaseSocket(instance)}`;
  const argv: Command["argv"] = ["ovsdb-client", `--timeout=${TIMEOUT_S}`, "transact", socket, transaction];
  return JSON.parse(await runSwitchProgram(host, instance, { argv }));
}

/** A switch's flows, as ovs-ofctl prints them without counters, one a line. */
export async function dumpFlows(host: Host, instance: SwitchInstance, name: string): Promise<string> {
  const argv = ofctl(instance, name, ["--no-stats", "--no-names"], "dump-flows");
  return await runSwitchProgram(host, instance, { argv });
}

/** Gives a switch these flows and no others, at once; those that stay keep their counters. */
export async function replaceFlows(host: Host, instance: SwitchInstance, name: string, flows: string): Promise<void> {
  const argv = ofctl(instance, name, ["--bundle"], "replace-flows", "-");
  await runSwitchProgram(host, instance, { argv, stdin: flows });
}

function ofctl(
  instance: SwitchInstance,
  name: string,
  options: string[],
  verb: string,
  ...rest: string[]
): Command["argv"] {
  const target = `unix:${openFlowSocket(instance, name)}`;
  return ["ovs-ofctl", ...OPENFLOW, `--timeout=${TIMEOUT_S}`, "-vsyslog:off", ...options, verb, target, ...rest];
}
