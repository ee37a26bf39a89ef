import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { availableParallelism, cpus, release, totalmem, version } from "node:os";

/** What the figures were taken on, a fact per line. */
export function describeMachine(): string[] {
  const memoryGiB = Math.round(totalmem() / 1024 ** 3);
  const distribution = /^PRETTY_NAME="(.*)"$/m.exec(readIfThere("/etc/os-release"))?.[1] ?? "unknown distribution";
  return [
    `${cpus()[0]?.model ?? "unknown CPU"}, ${availableParallelism()} CPUs, ${memoryGiB} GiB, ${virtualization()}`,
    `${distribution}, Linux ${release()} (${version()})`,
    `Node ${process.versions.node}, ${["ab -V", "wrk -v", "runc --version", "mn --version"].map(firstLine).join(", ")}`,
  ];
}

function firstLine(command: string): string {
  const [file = "", ...args] = command.split(" ");
  const { stdout, stderr, error } = spawnSync(file, args, { encoding: "utf8" });
  if (error !== undefined) return `no ${file}`;
  const line = (stdout || stderr).trim().split("\n")[0] ?? "";
  return file === "mn"
    ? `Mininet ${line}`
    : line.replace(/ Copyright.*$/, "").replace(/^This is |, Version| <.*$/g, "");
}

function virtualization(): string {
  return readIfThere("/proc/cpuinfo").includes(" hypervisor") ? "a virtual machine" : "no hypervisor seen";
}

function readIfThere(path: string): string {
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}
