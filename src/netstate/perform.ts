import type { NetlinkRequest } from "../host/netlink-request.ts";
import { readNetworkSysctl, writeNetworkSysctl } from "../host/sysctl.ts";
import { createTap } from "../host/tap.ts";
import { NetworkSysfs } from "../host/sysfs.ts";
import { LabError } from "../model/error.ts";
import type { Link, NetworkState } from "../model/network-state.ts";
import { addCommands } from "../model/nft-commands.ts";
import type { NamespaceName } from "../model/plan.ts";
import { linkOfSysctl, stageOf, type Change, type LinkChange, type Stage } from "./change.ts";
import { sameCpus } from "./diff.ts";
import { byNamespace, eachNamespace } from "./each-namespace.ts";
import { removeCommands, replaceCommands, updateCommands } from "./nft-json.ts";
import { requestsFor, vethRequest } from "./requests.ts";
import { formatCpuMask, RPS_FILE } from "./rps.ts";
import type { NetworkSession } from "./session.ts";
import { sameShaping, setShaping } from "./shaping.ts";
import { sysctlWithout } from "./sysctl-without.ts";
import type { SwitchDriver } from "./switch-driver.ts";
import { changeTables } from "./tables.ts";

interface PerformContext {
  /** The whole network: a switch is changed by saying what all of its namespace are to be. */
  wanted: NetworkState;
  switches?: SwitchDriver | undefined;
  /** Tables that change are as a plan has them: what stays in them is not touched. Default: they are replaced. */
  knownTables?: boolean;
  /** Awaited when bridges have their addresses, and before ports are made. */
  onBridges?: (() => Promise<void>) | undefined;
}

/** Carries out changes as `diffNetwork` gives them. Throws LabError at the first that fails. */
export async function performChanges(
  session: NetworkSession,
  changes: readonly Change[],
  { wanted, switches, onBridges, knownTables = false }: PerformContext,
): Promise<void> {
  const stages = new Map<Stage, Change[]>();
  for (const change of changes) {
    const stage = stageOf(change);
    const alike = stages.get(stage);
    if (alike === undefined) stages.set(stage, [change]);
    else alike.push(change);
  }
  const at = (...names: Stage[]): Change[] => names.flatMap((name) => stages.get(name) ?? []);

  await eachNamespace(ofObject(at("table"), "table"), async (namespace, group) => {
    const commands = group.flatMap(({ wanted: table, observed }) => {
      if (table === null) return [];
      if (observed === null) return addCommands([table]);
      return knownTables ? updateCommands(observed, table) : replaceCommands([table]);
    });
    await changeTables(session.host, namespace, commands);
  });
  request(session, at("remove neighbour", "remove route", "remove address"));
  request(session, at("remove link"));
  setSysctls(session, at("sysctl"));
  const bridges = bridgesOf(wanted);
  const isOfBridge = (change: Change) => bridges.has(endKey(change.namespace, linkOf(change)));
  const ofBridges = (name: Stage) => at(name).filter(isOfBridge);
  const ofOthers = (name: Stage) => at(name).filter((change) => !isOfBridge(change));
  // Bridges first, with all that programs need which serve on them.
  request(session, at("add bridge"));
  setSysctls(session, ofBridges("link sysctl"));
  request(session, [...ofBridges("change link"), ...ofBridges("address")]);
  await onBridges?.();
  const added = ofObject(at("add link"), "link");
  const isTap = ({ wanted: link }: LinkChange) => link?.kind === "tap";
  const taps = addTaps(session, added.filter(isTap));
  const { made, others: veths } = addVeths(
    session,
    added.filter((change) => !isTap(change)),
  );
  const vlans = ofObject(at("add vlan"), "link");
  // A VLAN's parent has to be up first.
  const incomplete = [...taps, ...veths, ...ofOthers("change link"), ...vlans.map(asDown)];
  const rest = [...incomplete, ...ofOthers("address"), ...at("route", "neighbour")];
  try {
    // Half of what a large lab takes is the kernel's work on veths: time enough to open its hundreds of sockets.
    for (const namespace of byNamespace([...vlans, ...rest]).keys()) session.socket(namespace);
  } finally {
    await made;
  }
  request(session, vlans);
  setSysctls(session, ofOthers("link sysctl"));
  request(session, rest);
  const links = ofObject(at("add bridge", "add link", "add vlan", "change link"), "link");
  steer(session, links);
  await shape(session, links);
  for (const namespace of byNamespace(at("switch")).keys()) {
    await switches?.apply(session.host, namespace, wanted[namespace]?.switches ?? []);
  }
  await eachNamespace(at("remove table"), async (namespace, group) => {
    const names = group.map(({ name }) => name);
    await changeTables(session.host, namespace, removeCommands(names));
  });
}

/** Whether a change is carried out before others are looked for again. Tables come before all: what they guard against must not get through while the rest is under way. */
export function isFirst({ kind, object }: Change): boolean {
  return kind === "remove" || object === "table";
}

function ofObject<O extends Change["object"]>(changes: readonly Change[], object: O): Extract<Change, { object: O }>[] {
  return changes.filter((change): change is Extract<Change, { object: O }> => change.object === object);
}

function request(session: NetworkSession, changes: readonly Change[]): void {
  for (const [namespace, group] of byNamespace(changes)) {
    session.socket(namespace).perform(group.flatMap((change) => requestsFor(session, change)));
  }
}

/** Makes taps, which come down and with nothing set; what they lack is returned as changes. */
function addTaps(session: NetworkSession, added: readonly LinkChange[]): Change[] {
  for (const [namespace, group] of byNamespace(added)) {
    const links = group.map(({ name }) => session.newLink(namespace, name));
    session.within(namespace, () => links.forEach((link) => createTap(link)));
  }
  return added.map((change): LinkChange => {
    const { wanted } = change;
    const made =
      wanted === null ? null : { ...withoutIsolation(wanted), up: false, mtu: 1500, mac: null, master: null };
    return { ...change, kind: "change", observed: made };
  });
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
    if (link?.kind === "vif") {
      throw new LabError(`interface ${name} is not there: it comes with its domain, which does not run`, {
        hint: "cloison up starts the domain",
      });
    }
    if (link?.kind !== "veth" || peer === null || other === undefined || other.wanted === null) {
      throw new Error(
        `${namespace}: ${name} is wanted as ${link?.kind}, and only bridges, taps and whole veths can be made`,
      );
    }
    requests.push({ namespace, request: vethRequest(session, namespace, link, peer.namespace, other.wanted) });
    incomplete.push({
      ...other,
      kind: "change",
      observed: { ...withoutIsolation(other.wanted), up: false, master: null },
    });
    if (link.isolated === true) incomplete.push(asDown(change));
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

/** What a link that was made, but is down and no isolated port, still lacks. */
function asDown(change: LinkChange): LinkChange {
  const { wanted } = change;
  return { ...change, kind: "change", observed: wanted === null ? null : { ...withoutIsolation(wanted), up: false } };
}

function withoutIsolation(link: Link): Link {
  return { ...link, isolated: false };
}

function bridgesOf(network: NetworkState): Set<string> {
  const ends = Object.entries(network).flatMap(([namespace, { links }]) =>
    links.filter(({ kind }) => kind === "bridge").map(({ name }) => endKey(namespace, name)),
  );
  return new Set(ends);
}

/** The link that a change of a link, an address or a link's sysctl is about. */
function linkOf({ object, name, wanted, observed }: Change): string | undefined {
  switch (object) {
    case "link":
      return name;
    case "address":
      return (wanted ?? observed)?.link;
    case "sysctl":
      return linkOfSysctl(name);
    default:
      return undefined;
  }
}

function endKey(namespace: NamespaceName, name: string | undefined): string {
  return `${namespace} ${name}`;
}

function setSysctls(session: NetworkSession, changes: readonly Change[]): void {
  for (const [namespace, group] of byNamespace(ofObject(changes, "sysctl"))) {
    session.within(namespace, () => {
      for (const { name, wanted } of group) if (wanted !== null) setSysctl(name, wanted);
    });
  }
}

/** What a kernel does not have (Debian's has br_netfilter as a module) is as switched off as it gets. */
function setSysctl(name: string, wanted: string): void {
  if (wanted === sysctlWithout(name) && readNetworkSysctl(name) === null) return;
  writeNetworkSysctl(name, wanted);
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

async function shape(session: NetworkSession, changes: readonly LinkChange[]): Promise<void> {
  const shaped = changes.filter(({ wanted, observed }) => !sameShaping(wanted?.shaping, observed?.shaping));
  await eachNamespace(shaped, async (namespace, group) => {
    const links = group.map(({ name, wanted, observed }) => ({
      link: name,
      wanted: wanted?.shaping,
      observed: observed?.shaping,
    }));
    await setShaping(session.host, namespace, links);
  });
}

function rpsOf(link: Link | null): readonly number[] {
  return link?.rpsCpus ?? [];
}
