import type { Host, Running } from "../host/host.ts";
import type { TraceEvent } from "../model/observation.ts";
import type { NamespaceName } from "../model/plan.ts";
import type { Question } from "../model/reachability.ts";
import { TRACE_TABLE, traceEvents } from "./trace-events.ts";

export type { TraceEvent } from "../model/observation.ts";

/** How long `nft monitor` may take to listen, and to print what it heard. */
const READY_MS = 3000;
const SETTLE_MS = 150;
const POLL_MS = 5;
const REMOVAL_MS = 10_000;
/** /proc/net/netlink: protocol NETLINK_NETFILTER, and the bit of the group NFNLGRP_NFTRACE (9). */
const NETFILTER = "12";
const TRACE_GROUP = 1 << 8;

/** Hooks through which a packet enters, by family of tables; a packet is picked before anything else looks at it. */
const HOOKS: Readonly<Record<string, readonly string[]>> = {
  inet: ["prerouting", "output"],
  bridge: ["prerouting", "output"],
  arp: ["input", "output"],
};
const PRIORITY = -400;

/**
 * Has nftables trace packets like the question's, and their answers, while `send` sends it; tells what each rule did, in
 * each namespace that has rules. Adds a table of its own there, and takes it away again, however it ends. Throws
 * LabError, and what `send` throws.
 */
export async function tracePacket(
  host: Host,
  namespaces: readonly NamespaceName[],
  send: () => Promise<void>,
  question: Question,
): Promise<TraceEvent[]> {
  const traced: NamespaceName[] = [];
  const monitors: { namespace: NamespaceName; running: Running }[] = [];
  try {
    await Promise.all(
      namespaces.map(async (namespace) => {
        const families = await familiesIn(host, namespace);
        const script = families.map((family) => tableText(family, question)).join("");
        if (script === "") return;
        traced.push(namespace);
        await host.processes.must({ argv: ["nft", "-f", "-"], namespace, stdin: script, timeoutMs: REMOVAL_MS });
        const running = await host.processes.start({ argv: ["nft", "-a", "monitor", "trace"], namespace });
        monitors.push({ namespace, running });
        await untilListening(host, running);
      }),
    );
    await send();
    await host.clock.sleep(SETTLE_MS);
  } finally {
    for (const { running } of monitors) running.kill("SIGTERM");
    await Promise.all(traced.map((namespace) => removeTables(host, namespace)));
  }
  const heard = await Promise.all(
    monitors.map(async ({ namespace, running }) => traceEvents(namespace, (await running.exited).stdout)),
  );
  return heard.flat();
}

/** Families whose rules can be traced there; without rules there is nothing to trace. */
async function familiesIn(host: Host, namespace: NamespaceName): Promise<string[]> {
  const listed = await host.processes.must({ argv: ["nft", "list", "tables"], namespace, timeoutMs: REMOVAL_MS });
  const families = new Set<string>();
  for (const line of listed.split("\n")) {
    const family = /^table (\S+)/.exec(line)?.[1];
    if (family === "ip" || family === "ip6" || family === "inet") families.add("inet");
    else if (family !== undefined && family in HOOKS) families.add(family);
  }
  return [...families];
}

/** Emptied first: a run that was killed may have left it. */
function tableText(family: string, question: Question): string {
  const matches = matchesOf(family, question);
  if (matches.length === 0) return "";
  const table = `${family} ${TRACE_TABLE}`;
  const chains = (HOOKS[family] ?? []).flatMap((hook) => [
    `add chain ${table} ${hook} { type filter hook ${hook} priority ${PRIORITY}; }`,
    ...matches.map((match) => `add rule ${table} ${hook} ${match} meta nftrace set 1`),
  ]);
  return [`add table ${table}`, `delete table ${table}`, `add table ${table}`, ...chains, ""].join("\n");
}

/** Addresses and ports change on the way (NAT), so the kind of packet is what it is known by. */
function matchesOf(family: string, { how, address }: Question): string[] {
  const isV6 = address.includes(":");
  if (how.kind === "arp") {
    if (isV6) return family === "arp" ? [] : ["icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert }"];
    return family === "arp" ? ["arp operation { request, reply }"] : family === "bridge" ? ["ether type arp"] : [];
  }
  if (family === "arp") return [];
  const ip = isV6 ? "ip6" : "ip";
  const version = family === "bridge" ? `ether type ${ip}` : `meta nfproto ${isV6 ? "ipv6" : "ipv4"}`;
  switch (how.kind) {
    case "icmp":
      return [`${version} meta l4proto ${isV6 ? "ipv6-icmp" : "icmp"}`];
    case "tcp":
      return [`${version} tcp flags & (syn | rst) != 0`];
    case "udp":
      return [`${version} meta l4proto udp`];
  }
}

async function untilListening(host: Host, { pid }: Running): Promise<void> {
  const deadlineMs = host.clock.monotonicMs() + READY_MS;
  while (host.clock.monotonicMs() < deadlineMs) {
    const sockets = (await host.files.readTextIfExists(`/proc/${pid}/net/netlink`)) ?? "";
    for (const line of sockets.split("\n")) {
      const [, protocol, , groups = ""] = line.trim().split(/\s+/);
      if (protocol === NETFILTER && (Number.parseInt(groups, 16) & TRACE_GROUP) !== 0) return;
    }
    await host.clock.sleep(POLL_MS);
  }
}

/** Whatever of ours is there; a table that is added first can be deleted for sure. */
async function removeTables(host: Host, namespace: NamespaceName): Promise<void> {
  const listed = await host.processes.must({ argv: ["nft", "list", "tables"], namespace, timeoutMs: REMOVAL_MS });
  const ours = listed.split("\n").filter((line) => line.endsWith(` ${TRACE_TABLE}`));
  if (ours.length === 0) return;
  const stdin = ours.map((line) => `delete ${line}\n`).join("");
  await host.processes.must({ argv: ["nft", "-f", "-"], namespace, stdin, timeoutMs: REMOVAL_MS });
}
