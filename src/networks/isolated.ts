import type { NetworkState } from "../model/network-state.ts";
import type { NamespaceName } from "../model/plan.ts";
import { addressesOf, bridge, inNamespace, quiet, type RpsCpus } from "./fragment.ts";
import { closedBridge } from "./closed.ts";
import { bridgeGuard } from "./guard.ts";
import { guestLinks, type Guest } from "./guest.ts";
import { mergeNetworkStates } from "./merge.ts";
import * as nft from "./nft.ts";

/** Part of a lab plan that one isolated network is made from. */
export interface IsolatedNetwork {
  /** In the lab file. */
  name: string;
  /** Position among the lab's isolated networks: names `isobr<index>`. */
  index: number;
  hostNamespace: NamespaceName;
  prefix: number;
  /** The host's address in it; null: it has none. */
  host: { address: string | null; mac: string };
  isolatedPorts: boolean;
  mtu: number;
  vifs: Guest[];
  rpsCpus: RpsCpus;
}

/** An isolated network: a private subnet on the host's bridge `isobr<i>`, into and out of which nothing is forwarded. Pure. */
export function isolatedNetwork(network: IsolatedNetwork): NetworkState {
  const { hostNamespace, host, prefix, mtu, vifs, rpsCpus, isolatedPorts } = network;
  const name = `isobr${network.index}`;
  return mergeNetworkStates([
    quiet(hostNamespace),
    bridge(hostNamespace, name, host.mac, mtu),
    inNamespace(hostNamespace, {
      addresses: addressesOf(name, { ...host, prefix }),
      tables: nft.table("inet", "cloison-host", [
        nft.chain(
          "forward",
          nft.BEFORE_FILTER,
          [
            nft.rule(`nothing leaves ${network.name}`, nft.iif(name), nft.drop),
            nft.rule(`nobody reaches into ${network.name}`, nft.oif(name), nft.drop),
          ],
          { name: "isolation" },
        ),
      ]),
    }),
    ...(host.address === null ? [closedBridge(hostNamespace, name)] : []),
    ...guestLinks(vifs, { hostNamespace, rpsCpus, mtu, master: name, isolated: isolatedPorts, prefix, gateway: null }),
    bridgeGuard(hostNamespace, vifs),
  ]);
}
