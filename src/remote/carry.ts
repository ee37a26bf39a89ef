import { dirname } from "node:path";
import type { Host } from "../host/host.ts";
import { sendingError } from "./complaints.ts";
import type { Connection } from "./connection.ts";

/** A path at one of the hosts that this one can reach; without a connection: here. */
export interface Spot {
  connection: Connection | null;
  path: string;
}

/** Whatever is between the two: here passes what comes from one host and goes to another. */
const CARRY = `set -o pipefail; "\${@:2:$1}" | "\${@:$1+2}"`;

/** Copies a file. */
export async function carryFile(host: Host, from: Spot, to: Spot, signal: AbortSignal | undefined): Promise<void> {
  const at = ({ connection, path }: Spot, script: string) =>
    connection === null ? ["sh", "-c", script, "sh", path] : connection.argv(script, [path]);
  const reads = at(from, 'cat -- "$1"');
  const { code, stderr } = await host.processes.run({
    argv: ["bash", "-c", CARRY, "carry", `${reads.length}`, ...reads, ...at(to, 'cat >"$1"')],
    ...(signal === undefined ? {} : { signal }),
  });
  if (code === 0) return;
  const { address } = to.connection ?? from.connection ?? { address: "here" };
  throw sendingError(address, to.path, stderr);
}

/**
 * Makes a Unix socket at one host that leads to one at another.
 * @param between path here, by which a socket of another host leads on. The same each time, so that what a command that was
 * killed has left is known by it.
 * @returns what lets it go
 */
export async function joinSockets(host: Host, from: Spot, to: Spot, between: string): Promise<() => Promise<void>> {
  if (from.connection === null) return leadOn(host, from.path, to);
  await host.files.makeDirectory(dirname(between));
  const second = await leadOn(host, between, to);
  try {
    const first = await from.connection.receive(from.path, between);
    return async () => {
      await first();
      await second();
    };
  } catch (error) {
    await second();
    throw error;
  }
}

async function leadOn(host: Host, socket: string, { connection, path }: Spot): Promise<() => Promise<void>> {
  if (connection !== null) return connection.forward(socket, path);
  await host.processes.must({ argv: ["ln", "-sfn", path, socket] });
  return () => host.files.remove(socket);
}
