import type { Finished, Host } from "../../host/host.ts";
import { LabError } from "../../model/error.ts";

/** A domain, as Xen shows it. */
export interface XenDomain {
  /** Another one after each restore: asked for when it is needed, and kept nowhere. */
  id: number;
  state: "running" | "paused" | "ended";
  cpuNs: number;
  /** That it has now, on its way to what it is to have. */
  memoryMiB: number;
}

/** xl answers in some milliseconds, in an emulated machine in some hundred. */
const DEADLINE_MS = 60_000;
const POLL_MS = 200;

/** Domains by their UUIDs, as they are now. */
export type XenDomains = ReadonlyMap<string, XenDomain>;

export async function allDomains(host: Host): Promise<XenDomains> {
  return parseList(await xl(host, ["list", "-v"]));
}

/** The domain with this UUID; null: there is none. */
export async function findDomain(host: Host, uuid: string): Promise<XenDomain | null> {
  return (await allDomains(host)).get(uuid) ?? null;
}

/** @throws LabError with what Xen's tools complain of */
export async function xl(host: Host, args: string[]): Promise<string> {
  return host.processes.must({ argv: ["xl", ...args], timeoutMs: DEADLINE_MS });
}

/** As `xl`, where it may fail: how it ended. */
export async function tryXl(host: Host, args: string[]): Promise<Finished> {
  return host.processes.run({ argv: ["xl", ...args], timeoutMs: DEADLINE_MS });
}

/**
 * Ends the domain with this UUID, if there is one. Its own xl may be at it, too, when it has ended: what counts is that it is gone.
 * @throws LabError when it does not go
 */
export async function endDomain(host: Host, uuid: string): Promise<void> {
  const deadline = host.clock.monotonicMs() + DEADLINE_MS;
  for (let found = await findDomain(host, uuid); found !== null;) {
    const { id } = found;
    const { stderr } = await tryXl(host, ["destroy", `${id}`]);
    found = await findDomain(host, uuid);
    if (found === null) return;
    if (host.clock.monotonicMs() > deadline) {
      throw new LabError(`Xen does not end domain ${id}: ${stderr.trim()}`, { hint: "`xl dmesg` says more" });
    }
    await host.clock.sleep(POLL_MS);
  }
}

/** As `findDomain`. @throws LabError when the domain does not run */
export async function requireDomain(host: Host, name: string, uuid: string): Promise<XenDomain> {
  const found = await findDomain(host, uuid);
  if (found !== null && found.state !== "ended") return found;
  throw new LabError(`domain ${name} does not run`, { hint: "`cloison ps` says what ended it" });
}

/** Of the store that Xen's tools share; null: there is nothing at that path. */
export async function readStore(host: Host, path: string): Promise<string | null> {
  const { code, stdout } = await host.processes.run({ argv: ["xenstore-read", path], timeoutMs: DEADLINE_MS });
  return code === 0 ? stdout.trim() : null;
}

/** Reads `xl list -v`: name, id, memory, vcpus, state, seconds, uuid, and more. */
export function parseList(text: string): XenDomains {
  const entries = text.split("\n").flatMap((line): [string, XenDomain][] => {
    const [, id, memoryMiB, flags = "", seconds, uuid = ""] =
      /\s(\d+)\s+(\d+)\s+\d+\s+([a-z-]{6})\s+(\d+\.\d)\s+([0-9a-f-]{36})\b/.exec(line) ?? [];
    if (id === undefined) return [];
    const state = /[scd]/.test(flags) ? "ended" : flags.includes("p") ? "paused" : "running";
    return [[uuid, { id: Number(id), state, cpuNs: Math.round(Number(seconds) * 1e9), memoryMiB: Number(memoryMiB) }]];
  });
  return new Map(entries);
}
