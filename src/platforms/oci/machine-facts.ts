import type { Host } from "../../host/host.ts";
import { countsSwap } from "../swap-accounting.ts";
import type { OciMachine } from "./oci-config.ts";

/** What a container's configuration has to know of the machine, read from the kernel. */
export async function machineFacts(
  host: Host,
  /** A group that is there, other than the root. */
  cgroup: string,
): Promise<Pick<OciMachine, "memoryNodes" | "openFiles" | "swapAccounting">> {
  const limits = await host.files.readText("/proc/self/limits");
  const openFiles = /^Max open files\s+\d+\s+(\d+|unlimited)/m.exec(limits)?.[1] ?? "1024";
  return {
    // A kernel without NUMA has one node, and no such file.
    memoryNodes: (await host.files.readTextIfExists("/sys/devices/system/node/has_memory"))?.trim() ?? "0",
    openFiles: openFiles === "unlimited" ? Number.MAX_SAFE_INTEGER : Number(openFiles),
    swapAccounting: await countsSwap(host, cgroup),
  };
}
