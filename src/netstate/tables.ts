import type { Host } from "../host/host.ts";
import { listNftTables } from "../host/netlink-nftables.ts";
import type { NetworkState } from "../model/network-state.ts";
import type { NamespaceName } from "../model/plan.ts";

/** Tables whose names begin so are Cloison's: made, replaced and removed by it. All others are left alone. */
const OWN_PREFIX = "cloison";

/** `inet cloison-filter` */
const TABLE = /^(?:inet|ip|ip6|arp|bridge|netdev) [A-Za-z][A-Za-z0-9_-]*$/;

function isOwn(table: string): boolean {
  return TABLE.test(table) && table.split(" ")[1]?.startsWith(OWN_PREFIX) === true;
}

/** Cloison's own tables in these namespaces, as nft lists them without counters. */
export async function observeTables(
  host: Host,
  namespaces: readonly NamespaceName[],
): Promise<Map<NamespaceName, Record<string, string>>> {
  const observed = new Map<NamespaceName, Record<string, string>>();
  for (const namespace of namespaces) {
    const names = host.namespaces.within(namespace, () => listNftTables()).filter(isOwn);
    if (names.length === 0) continue;
    const texts: Record<string, string> = {};
    for (const name of names) {
      texts[name] = await host.processes.must({
        argv: ["nft", "--stateless", "list", "table", ...name.split(" ")],
        namespace,
      });
    }
    observed.set(namespace, texts);
  }
  return observed;
}

/**
 * The state with each table as nft lists it, so that it can be compared with what is observed. nft itself says it: the
 * table is loaded in a network namespace of its own, which nothing else sees. A table must therefore name interfaces by
 * `iifname` and `oifname`, not by `iif` and `oif`. Throws LabError when nft refuses the text.
 */
export async function normalizeTables(host: Host, wanted: NetworkState): Promise<NetworkState> {
  const listings = new Map<string, Promise<string>>();
  const list = (name: string, text: string): Promise<string> => {
    if (!isOwn(name)) throw new Error(`table ${name}: tables of a lab are named ${OWN_PREFIX}…`);
    const key = `${name}\n${text}`;
    const listing = listings.get(key) ?? loadAndList(host, name, text);
    listings.set(key, listing);
    return listing;
  };
  return Object.fromEntries(
    await Promise.all(
      Object.entries(wanted).map(async ([namespace, state]): Promise<[string, NetworkState[string]]> => {
        const names = Object.entries(state.tables);
        if (names.length === 0) return [namespace, state];
        const tables = await Promise.all(names.map(async ([name, text]) => [name, await list(name, text)] as const));
        return [namespace, { ...state, tables: Object.fromEntries(tables) }];
      }),
    ),
  );
}

function loadAndList(host: Host, name: string, text: string): Promise<string> {
  const script = 'nft -f - && exec nft --stateless list table "$@"';
  return host.processes.must({
    argv: ["unshare", "--net", "sh", "-c", script, "sh", ...name.split(" ")],
    stdin: text,
  });
}

/** Puts the table in place of the one with its name, in one transaction. Throws LabError. */
export async function replaceTable(host: Host, namespace: NamespaceName, name: string, text: string): Promise<void> {
  await host.processes.must({
    argv: ["nft", "-f", "-"],
    namespace,
    // Adding what may be there and deleting it makes the deletion succeed in either case.
    stdin: `table ${name}\ndelete table ${name}\n${text}\n`,
  });
}

/** Throws LabError. */
export async function removeTable(host: Host, namespace: NamespaceName, name: string): Promise<void> {
  await host.processes.must({ argv: ["nft", "delete", "table", ...name.split(" ")], namespace });
}
