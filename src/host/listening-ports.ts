import { readFileSync } from "node:fs";
import ipaddr from "ipaddr.js";
import { hasCode } from "./syscalls.ts";

/** State of a listening socket in /proc/net/tcp (TCP_LISTEN). */
const LISTENING = "0A";

/** A socket that takes what comes to it. */
export interface Listener {
  /** Where it is bound; null: to every address of its family. */
  address: string | null;
  family: 4 | 6;
  port: number;
}

/** Sockets that listen in the namespace that the calling thread is in. */
export function readListeners(protocol: "tcp" | "udp"): Listener[] {
  return [
    ...parseListeners(protocol, 4, readIfThere(`/proc/thread-self/net/${protocol}`)),
    // Without IPv6 in the kernel it is not there.
    ...parseListeners(protocol, 6, readIfThere(`/proc/thread-self/net/${protocol}6`)),
  ];
}

/** Of /proc/net/tcp or udp: lines of `sl local_address rem_address st …`, addresses as hexadecimal `IP:PORT`. UDP: sockets without a peer. */
export function parseListeners(protocol: "tcp" | "udp", family: 4 | 6, table: string): Listener[] {
  return table.split("\n").flatMap((line) => {
    const [, local = "", remote = "", state] = line.trim().split(/\s+/);
    const [address = "", port] = local.split(":");
    const isListener = protocol === "tcp" ? state === LISTENING : remote.endsWith(":0000");
    if (port === undefined || !isListener) return [];
    return [{ address: addressOf(address), family, port: Number.parseInt(port, 16) }];
  });
}

/** Whether one of them takes what comes to this address. A socket of IPv6 that is bound to every address takes IPv4's, too. */
export function isListening(listeners: readonly Listener[], address: string, port: number): boolean {
  const family = address.includes(":") ? 6 : 4;
  return listeners.some((one) => {
    if (one.port !== port) return false;
    if (one.address !== null) return one.address === address;
    return one.family === family || one.family === 6;
  });
}

/** Words of 32 bits in the machine's own order, which is little-endian wherever this runs. */
function addressOf(hexadecimal: string): string | null {
  const bytes = (hexadecimal.match(/.{8}/g) ?? []).flatMap((word) =>
    (word.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16)).reverse(),
  );
  return bytes.every((byte) => byte === 0) ? null : ipaddr.fromByteArray(bytes).toString();
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT")) return "";
    throw error;
  }
}
