import { readFileSync, readdirSync, readlinkSync } from "node:fs";

/** Everything of the machine that a lab could leave behind, one line a thing, sorted. */
export type KernelSnapshot = Record<Section, string[]>;
type Section =
  | "links"
  | "addresses"
  | "routes"
  | "rules"
  | "nftables"
  | "namespaces"
  | "mounts"
  | "cgroups"
  | "loops"
  | "processes"
  | "files";

export interface SnapshotOf {
  /** Runs a program in the mount namespace under test; returns what it wrote. */
  run(argv: string[]): string;
  /** State folder; its images are no part of a lab. */
  state: string;
  /** A process whose mount namespace is the one under test: whatever else lives in it was left there. */
  mountNamespaceOf: number;
  /** Name of the control group that holds all groups under test. */
  group: string;
}

/** One shell for all of it, since a test takes dozens of snapshots. Network: the machine's own. Counters are left out (`nft -s`). */
const SCRIPT = `
section() { printf '\\n#%s\\n' "$1"; }
section links; ip -o link
section addresses; ip -o addr
section routes; ip -o -4 route show table all; ip -o -6 route show table all
section rules; ip rule; ip -6 rule
section nftables; nft -s list ruleset
section namespaces; [ ! -d /run/netns ] || ls /run/netns
section mounts; cut -d' ' -f4- /proc/self/mountinfo
section cgroups; awk '$0 ~ / - cgroup2? / { print $5 }' /proc/self/mountinfo | sort -u | while read -r top; do find "$top" -type d; done
section loops; losetup --noheadings --raw --list --output NAME,BACK-FILE | grep -F "$1" || true
section files; find "$1" /run/cloison -mindepth 2 -not -path "$1/images/*" -not -path "*/domains/*/root/*" -not -path "/run/cloison/tried/*" 2>/dev/null || true
`;

export function kernelSnapshot(of: SnapshotOf): KernelSnapshot {
  const text = of.run(["sh", "-c", SCRIPT, "sh", of.state]);
  const sections = new Map(
    text
      .split("\n#")
      .slice(1)
      .map((part) => {
        const [name = "", ...lines] = part.split("\n");
        // Lifetimes of the machine's own addresses and routes run down meanwhile.
        const stable = lines.map((line) => line.replaceAll(/(valid_lft|preferred_lft|expires) \S+/g, "$1 …").trimEnd());
        return [name, stable.filter((line) => line !== "")];
      }),
  );
  const lines = (name: Section) => {
    const found = sections.get(name);
    if (found === undefined) throw new Error(`the snapshot has no ${name}: ${text}`);
    // The order of nft's lines is their meaning.
    return name === "nftables" ? found : found.toSorted();
  };
  return {
    links: lines("links"),
    addresses: lines("addresses"),
    routes: lines("routes"),
    rules: lines("rules"),
    nftables: lines("nftables"),
    namespaces: lines("namespaces"),
    mounts: lines("mounts"),
    cgroups: lines("cgroups"),
    loops: lines("loops"),
    processes: processesOf(of),
    files: lines("files"),
  };
}

/** Processes in the groups under test, or in the mount namespace under test: its first one excepted. */
function processesOf({ mountNamespaceOf, group }: SnapshotOf): string[] {
  const namespace = readlinkSync(`/proc/${mountNamespaceOf}/ns/mnt`);
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== mountNamespaceOf)
    .flatMap((pid) => {
      try {
        const isOurs =
          readFileSync(`/proc/${pid}/cgroup`, "utf8").includes(`/${group}/`) ||
          readlinkSync(`/proc/${pid}/ns/mnt`) === namespace;
        // Zombies are gone but for their parent's interest.
        if (!isOurs || /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"))) return [];
        return [`${pid} ${readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ")}`];
      } catch (error) {
        // It ended while it was looked at, or is another user's machinery that even root may not look into: none of ours.
        if (error instanceof Error && "code" in error && ["ENOENT", "ESRCH", "EACCES"].includes(`${error.code}`))
          return [];
        throw error;
      }
    });
}
