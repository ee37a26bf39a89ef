import type { NftTable } from "../model/nft.ts";

/**
 * Puts the devices of chains bound to one into tables that lack them: nft 1.0.6 lists them in text only.
 * @param text what `nft list ruleset netdev` prints
 */
export function withChainDevices(tables: Record<string, NftTable>, text: string): Record<string, NftTable> {
  const devices = chainDevices(text);
  return Object.fromEntries(
    Object.entries(tables).map(([key, table]) => {
      if (table.family !== "netdev") return [key, table];
      const chains = table.chains.map((chain) => {
        const device = devices.get(`${table.name} ${chain.name}`);
        if (chain.base === null || chain.base.device !== null || device === undefined) return chain;
        return { ...chain, base: { ...chain.base, device } };
      });
      return [key, { ...table, chains }];
    }),
  );
}

/** Whether some chain is bound to a device that is not told. */
export function lacksDevices(tables: Record<string, NftTable>): boolean {
  return Object.values(tables).some(({ chains }) => chains.some(({ base }) => base?.device === null));
}

/** Key: `table chain`. A chain of several devices is none that is known. */
function chainDevices(text: string): Map<string, string> {
  const devices = new Map<string, string>();
  let table = "";
  let chain = "";
  for (const line of text.split("\n")) {
    table = /^table netdev (\S+) \{/.exec(line)?.[1] ?? table;
    chain = /^\tchain (\S+) \{/.exec(line)?.[1] ?? chain;
    const device = /^\t\ttype \w+ hook \w+ device "([^"]+)"/.exec(line)?.[1];
    if (device !== undefined) devices.set(`${table} ${chain}`, device);
  }
  return devices;
}
