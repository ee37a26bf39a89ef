import type { NetlinkRequest } from "../host/netlink-request.ts";
import { writeNetworkSysctl } from "../host/sysctl.ts";
import { NetworkSysfs } from "../host/sysfs.ts";
import type { Link } from "../model/network-state.ts";
import type { NamespaceName } from "../model/plan.ts";
import { stageOf, type AddressChange, type Change, type LinkChange, type Stage } from "./change.ts";
import { sameCpus } from "./diff.ts";
import { requestsFor, vethRequest } from "./requests.ts";
import { formatCpuMask, RPS_FILE } from "./rps.ts";
import type { NetworkSession } from "./session.ts";
import { removeTable, replaceTable } from "./tables.ts";

/**
 * Carries out changes as `diffNetwork` gives them. Throws LabError at the first that fails.
 * @param onBridges awaited when bridges that are added have their addresses, and before their ports are made
 */
export async function performChanges(
  session: NetworkSession,
  changes: readonly Change[],
  onBridges?: () => Promise<void>,
): Promise<void> {
  const stages = new Map<Stage, Change[]>();
  for (const change of changes) {
    const stage = stageOf(change);
    const alike = stages.get(stage);
    if (alike === undefined) stages.set(stage, [change]);
    else alike.push(change);
  }
  const at = (...names: Stage[]): Change[] => names.flatMap((name) => stages.get(name) ?? []);

  request(session, at("remove neighbour", "remove route", "remove address"));
  request(session, at("remove link"));
  for (const { namespace, name, wanted } of ofObject(at("table"), "table")) {
    await replaceTable(session.host, namespace, name, wanted ?? "");
  }
  setSysctls(session, at("sysctl"));
  const bridges = new Set(at("add bridge").map(({ namespace, name }) => endKey(namespace, name)));
  const ofBridge = ({ namespace, wanted }: AddressChange) =>
    wanted !== null && bridges.has(endKey(namespace, wanted.link));
  const addresses = ofObject(at("address"), "address");
  request(session, [...at("add bridge"), ...addresses.filter(ofBridge)]);
  await onBridges?.();
  const { made, others } = addVeths(session, ofObject(at("add link"), "link"));
  const rest = [
    ...others,
    ...at("change link"),
    ...addresses.filter((address) => !ofBridge(address)),
    ...at("route", "neighbour"),
  ];
  try {
    // Half of what a large lab takes is the kernel's work on veths: time enough to open its hundreds of sockets.
    for (const namespace of byNamespace(rest).keys()) session.socket(namespace);
  } finally {
    await made;
  }
  request(session, rest);
  steer(session, ofObject(at("add bridge", "add link", "change link"), "link"));
  setSysctls(session, at("link sysctl"));
  for (const { namespace, name } of at("remove table")) await removeTable(session.host, namespace, name);
}

function ofObject<O extends Change["object"]>(changes: readonly Change[], object: O): Extract<Change, { object: O }>[] {
  return changes.filter((change): change is Extract<Change, { object: O }> => change.object === object);
}

function byNamespace<T extends { namespace: NamespaceName }>(entries: readonly T[]): Map<NamespaceName, T[]> {
  const groups = new Map<NamespaceName, T[]>();
  for (const entry of entries) {
    const group = groups.get(entry.namespace);
    if (group === undefined) groups.set(entry.namespace, [entry]);
    else group.push(entry);
  }
  return groups;
}

function request(session: NetworkSession, changes: readonly Change[]): void {
  for (const [namespace, group] of byNamespace(changes)) {
    session.socket(namespace).perform(group.flatMap((change) => requestsFor(session, change)));
  }
}

/**
 * Makes veths, both ends at once, from the namespace of the end that is a bridge's port. The other ends come without a
 * master and down, because the kernel takes neither for them; what they lack is returned as changes.
 */
function addVeths(session: NetworkSession, added: readonly LinkChange[]): { made: Promise<void>; others: Change[] } {
  const ends = new Map(added.map((change) => [endKey(change.namespace, change.name), change]));
  const requests: { namespace: NamespaceName; request: NetlinkRequest }[] = [];
  const incomplete: Change[] = [];
  const ordered = added.toSorted((a, b) => Number(b.wanted?.master !== null) - Number(a.wanted?.master !== null));
  for (const change of ordered) {
    const { namespace, name, wanted: link } = change;
    if (!ends.has(endKey(namespace, name))) continue;
    const peer = link?.peer ?? null;
    const other = peer === null ? undefined : ends.get(endKey(peer.namespace, peer.name));
    if (link?.kind !== "veth" || peer === null || other === undefined || other.wanted === null) {
      throw new Error(`${namespace}: ${name} is wanted as ${link?.kind}, and only bridges and whole veths can be made`);
    }
    requests.push({ namespace, request: vethRequest(session, namespace, link, peer.namespace, other.wanted) });
    incomplete.push({ ...other, kind: "change", observed: { ...other.wanted, up: false, master: null } });
    ends.delete(endKey(namespace, name));
    ends.delete(endKey(peer.namespace, peer.name));
  }
  return { made: inBackground(session, requests), others: incomplete };
}

async function inBackground(
  session: NetworkSession,
  requests: readonly { namespace: NamespaceName; request: NetlinkRequest }[],
): Promise<void> {
  for (const [namespace, group] of byNamespace(requests)) {
    await session.socket(namespace).performInBackground(group.map((entry) => entry.request));
  }
}

function endKey(namespace: NamespaceName, name: string): string {
  return `${namespace} ${name}`;
}

function setSysctls(session: NetworkSession, changes: readonly Change[]): void {
  for (const [namespace, group] of byNamespace(ofObject(changes, "sysctl"))) {
    session.within(namespace, () => {
      for (const { name, wanted } of group) if (wanted !== null) writeNetworkSysctl(name, wanted);
    });
  }
}

/** Says which CPUs process what an interface receives. */
function steer(session: NetworkSession, changes: readonly LinkChange[]): void {
  const steered = changes.filter(({ wanted, observed }) => !sameCpus(rpsOf(wanted), rpsOf(observed)));
  for (const [namespace, group] of byNamespace(steered)) {
    session.within(namespace, () => {
      const sysfs = new NetworkSysfs();
      try {
        for (const { name, wanted } of group) sysfs.write(name, RPS_FILE, formatCpuMask(rpsOf(wanted)));
      } finally {
        sysfs.close();
      }
    });
  }
}

function rpsOf(link: Link | null): readonly number[] {
  return link?.rpsCpus ?? [];
}
