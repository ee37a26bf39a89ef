import type { NetworkState } from "../model/network-state.ts";
import type { NamespaceName } from "../model/plan.ts";
import {
  addressesOf,
  bridge,
  defaultRoutes,
  inNamespace,
  NO_REVERSE_PATH_FILTER,
  PORT_MAC,
  quiet,
  wire,
  type RpsCpus,
} from "./fragment.ts";
import { closedBridge } from "./closed.ts";
import { mergeNetworkStates } from "./merge.ts";

/** A machine with addresses of its own; `address` null: it has a MAC only. */
export interface Station<Address extends string | null = string> {
  address: Address;
  mac: string;
  address6?: string | null;
}

/** A LAN of the company, and how the host is joined to it. */
export interface CompanyLanInputs {
  /** Names `lan<index>`, `uplink<index>`, the host's `eth<index>` and `xenbr<index>`. */
  index: number;
  /** Length of the subnet's prefix. */
  prefix: number;
  prefix6?: number | null;
  mtu?: number;
  lanNamespace: NamespaceName;
  hostNamespace: NamespaceName;
  /** The company's router and DHCP server: the LAN switch's own address. */
  gateway: Station;
  /** The platform's host: its address on the LAN. */
  host: Station<string | null>;
  /** The host's default route goes this way; absent: if it is the first LAN. */
  defaultRoute?: boolean;
  /** Machines of the company on this LAN; each has one interface, `eth0`. */
  machines: (Station & { name: string; namespace: NamespaceName })[];
  rpsCpus: RpsCpus;
}

/** The host's interface that has its address on a LAN: the bridge where guests are on it too, else the card. */
export function lanDevice(index: number, bridged: boolean): string {
  return bridged ? `xenbr${index}` : `eth${index}`;
}

/**
 * A switch `lan<i>` in the LAN's namespace connects the company's machines, its router and the host's card `eth<i>`.
 * @param bridged the host's bridge `xenbr<i>` has taken the card over
 */
export function companyLan(network: CompanyLanInputs, bridged: boolean): NetworkState {
  const { index, lanNamespace: lan, hostNamespace: host, rpsCpus, mtu = 1500, prefix, prefix6 = null } = network;
  const { address6: gateway6 = null } = network.gateway;
  const hasIpv6 = gateway6 !== null;
  const lanBridge = `lan${index}`;
  const device = lanDevice(index, bridged);
  const isDefault = network.defaultRoute ?? index === 0;
  const hasAddress = network.host.address !== null;

  const fragments: NetworkState[] = [
    quiet(lan, hasIpv6),
    bridge(lan, lanBridge, network.gateway.mac, mtu),
    inNamespace(lan, {
      addresses: addressesOf(lanBridge, { ...network.gateway, prefix }, { address6: gateway6, prefix6 }),
      // The company's router forwards between its networks.
      sysctls: {
        "net.ipv4.ip_forward": "1",
        ...NO_REVERSE_PATH_FILTER,
        ...(hasIpv6 ? { "net.ipv6.conf.all.forwarding": "1" } : {}),
      },
    }),
    quiet(host, hasIpv6 && hasAddress),
    ...(bridged ? [bridge(host, device, network.host.mac, mtu)] : []),
    ...wire(
      { namespace: lan, name: `uplink${index}`, mac: PORT_MAC, master: lanBridge, rpsCpus: rpsCpus.lan },
      // A bridge and the card that it took over show the same MAC, as on a real host.
      {
        namespace: host,
        name: `eth${index}`,
        mac: network.host.mac,
        master: bridged ? device : null,
        rpsCpus: rpsCpus.host,
      },
      mtu,
    ),
    inNamespace(host, {
      addresses: addressesOf(device, { ...network.host, prefix }, { ...network.host, prefix6 }),
      routes: isDefault && hasAddress ? defaultRoutes(device, network.gateway.address, gateway6) : [],
      sysctls: { "net.ipv4.ip_forward": "0" },
    }),
    ...(hasAddress ? [] : [closedBridge(host, device)]),
  ];
  for (const machine of network.machines) {
    const { namespace, name, mac, address6 = null } = machine;
    fragments.push(
      quiet(namespace, address6 !== null),
      ...wire(
        { namespace: lan, name, mac: PORT_MAC, master: lanBridge, rpsCpus: rpsCpus.lan },
        { namespace, name: "eth0", mac, master: null, rpsCpus: rpsCpus.lan },
        mtu,
      ),
      inNamespace(namespace, {
        addresses: addressesOf("eth0", { ...machine, prefix }, { address6, prefix6 }),
        routes: defaultRoutes("eth0", network.gateway.address, address6 === null ? null : gateway6),
      }),
    );
  }
  return mergeNetworkStates(fragments);
}
