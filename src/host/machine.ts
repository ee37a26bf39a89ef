import { readFileSync } from "node:fs";
import type { Machine } from "./host.ts";
import { hasCode } from "./syscalls.ts";

/** CPU numbers of a kernel list such as `0-3,8`, ascending. */
export function parseCpuList(text: string): number[] {
  return text
    .trim()
    .split(",")
    .filter((part) => part !== "")
    .flatMap((part) => {
      const [first = Number.NaN, last = first] = part.split("-").map(Number);
      return Array.from({ length: last - first + 1 }, (_, index) => first + index);
    });
}

/** Field 22 of /proc/PID/stat, in clock ticks since boot. The second field, the command, may hold spaces and parentheses. */
export function parseStartTime(stat: string): number {
  const afterCommand = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(afterCommand[22 - 3]);
}

export function createMachine(): Machine {
  return {
    get bootId() {
      return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    },
    get cpus() {
      const list = /^Cpus_allowed_list:\s*(.*)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
      return parseCpuList(list);
    },
    startTime(pid) {
      try {
        return parseStartTime(readFileSync(`/proc/${pid}/stat`, "utf8"));
      } catch (error) {
        // ESRCH: it went away between open and read.
        if (hasCode(error, "ENOENT", "ESRCH")) return null;
        throw error;
      }
    },
  };
}
