import { readFileSync } from "node:fs";
import { hasCode } from "./syscalls.ts";

/**
 * Tables of the iptables that was before nftables, which nft does not list, in the network namespace that the calling
 * thread is in: `iptables filter`.
 */
export function listLegacyTables(): string[] {
  return ["ip", "ip6", "arp"].flatMap((family) =>
    readIfExists(`/proc/thread-self/net/${family}_tables_names`)
      .split("\n")
      .filter((table) => table !== "")
      .map((table) => `${family}tables ${table}`),
  );
}

function readIfExists(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT")) return "";
    throw error;
  }
}
