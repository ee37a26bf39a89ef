import { readFileSync, writeFileSync } from "node:fs";
import { LabError } from "../model/error.ts";
import { hasCode } from "./syscalls.ts";

/** `net.ipv4.conf.vif1/0.proxy_arp`: dots part the path, and a slash stands for a dot inside a part, as in sysctl.d(5). */
function pathOf(name: string): string {
  const parts = name.split(".").map((part) => part.replaceAll("/", "."));
  if (parts[0] !== "net" || parts.some((part) => part === "" || part === "." || part === "..")) {
    throw new Error(`${name} is not a sysctl of the network`);
  }
  return `/proc/sys/${parts.join("/")}`;
}

/** Value of a sysctl below `net.` in the network namespace that the calling thread is in; null: this kernel has none. */
export function readNetworkSysctl(name: string): string | null {
  try {
    return readFileSync(pathOf(name), "utf8").trimEnd();
  } catch (error) {
    if (hasCode(error, "ENOENT")) return null;
    throw error;
  }
}

/** Sets it in the network namespace that the calling thread is in. Throws LabError. */
export function writeNetworkSysctl(name: string, value: string): void {
  const path = pathOf(name);
  try {
    writeFileSync(path, value);
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "failed";
    throw new LabError(`setting sysctl ${name} to ${value}: ${code}`, { cause });
  }
}
