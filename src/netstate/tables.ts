import type { Host } from "../host/host.ts";
import { listNftTables } from "../host/netlink-nftables.ts";
import { LabError } from "../model/error.ts";
import type { NamespaceName } from "../model/plan.ts";
import type { NftTable } from "../model/nft.ts";
import { lacksDevices, withChainDevices } from "./chain-devices.ts";
import { eachNamespace } from "./each-namespace.ts";
import { parseRuleset, type Ruleset } from "./nft-json.ts";

/** Tables whose names begin so are Cloison's: made, replaced and removed by it. All others are left alone. */
const OWN_PREFIX = "cloison";

/** Whether a table, given as `family name`, is Cloison's. */
export function isOwnTable(table: string): boolean {
  return table.split(" ")[1]?.startsWith(OWN_PREFIX) === true;
}

/** Throws Error when a key of wanted tables is not what the table is called, or no name for one of Cloison's. */
export function checkTableNames(tables: Record<string, NftTable>): void {
  for (const [key, { family, name }] of Object.entries(tables)) {
    if (key !== `${family} ${name}` || !isOwnTable(key) || !/^[A-Za-z][A-Za-z0-9_-]*$/.test(name)) {
      throw new Error(`table ${key}: tables of a lab are named \`family ${OWN_PREFIX}…\`, and stand under that name`);
    }
  }
}

/** The tables of namespaces that have some: of Cloison's own only, unless `foreign` ones are wanted too. One nft for each. */
export async function observeTables(
  host: Host,
  namespaces: readonly NamespaceName[],
  foreign: boolean,
): Promise<Map<NamespaceName, Ruleset>> {
  const filled = namespaces.filter((namespace) =>
    host.namespaces.within(namespace, () => listNftTables()).some((table) => foreign || isOwnTable(table)),
  );
  const observed = new Map<NamespaceName, Ruleset>();
  await eachNamespace(
    filled.map((namespace) => ({ namespace })),
    async (namespace) => {
      const text = await host.processes.must({ argv: ["nft", "-j", "list", "ruleset"], namespace });
      const ruleset = parseRuleset(text);
      if (lacksDevices(ruleset.tables)) {
        const listing = await host.processes.must({ argv: ["nft", "list", "ruleset", "netdev"], namespace });
        ruleset.tables = withChainDevices(ruleset.tables, listing);
      }
      observed.set(namespace, ruleset);
    },
  );
  return observed;
}

/** Carries out commands of libnftables-json(5) in one transaction. Throws LabError. */
export async function changeTables(host: Host, namespace: NamespaceName, nftables: readonly unknown[]): Promise<void> {
  const { code, stderr } = await host.processes.run({
    argv: ["sh", "-c", NFT],
    namespace,
    stdin: JSON.stringify({ nftables }),
  });
  if (code === 0) return;
  throw new LabError(`${namespace}: nft refuses the tables: ${stderr.trim().split("\n")[0] ?? ""}`, {
    hint: "the kernel needs nf_tables with all that these rules use, also for bridges and ARP",
  });
}

/** nft 1.0.6 opens /dev/stdin to read JSON, which it can do with a pipe, not with the socket that it would be given. */
const NFT = "cat | nft -j -f -";
