import type { NetworkState } from "../model/network-state.ts";
import { companyLan, lanDevice, type CompanyLanInputs } from "./company-lan.ts";
import { bridgeGuard } from "./guard.ts";
import { guestLinks, type Guest } from "./guest.ts";
import { mergeNetworkStates } from "./merge.ts";

/** Part of a lab plan that one network in bridge mode is made from: its LAN, and the domains' interfaces on it. */
export interface BridgeNetwork extends CompanyLanInputs {
  vifs: Guest[];
}

/**
 * Bridge mode: guests are ordinary machines of the company LAN. In the host's namespace `xenbr<i>` joins the card `eth<i>`
 * and the guests' vifs. Pure. Merge the fragments of several networks with `mergeNetworkStates`.
 */
export function bridgeNetwork(network: BridgeNetwork): NetworkState {
  const { hostNamespace, rpsCpus, mtu = 1500, prefix, prefix6 = null, gateway, vifs } = network;
  return mergeNetworkStates([
    companyLan(network, true),
    ...guestLinks(vifs, {
      hostNamespace,
      rpsCpus,
      mtu,
      master: lanDevice(network.index, true),
      prefix,
      prefix6,
      gateway: gateway.address,
      gateway6: gateway.address6 ?? null,
    }),
    bridgeGuard(hostNamespace, vifs),
  ]);
}
