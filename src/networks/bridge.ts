import type { Address, Link, NamespaceState, NetworkState, Route } from "../model/network-state.ts";
import type { NamespaceName, VifPlan } from "../model/plan.ts";
import { mergeNetworkStates } from "./merge.ts";

/** A machine with an address of its own. */
interface Station {
  /** IPv4 address inside the network's subnet. */
  address: string;
  mac: string;
}

/** Part of a lab plan that one network in bridge mode is made from. */
export interface BridgeNetwork {
  /** Position among the lab's networks, from 0: names `lan<index>`, `xenbr<index>` and the host's `eth<index>`. */
  index: number;
  /** Length of the subnet's prefix. */
  prefix: number;
  lanNamespace: NamespaceName;
  hostNamespace: NamespaceName;
  /** The company's router and DHCP server: the LAN switch's own address. */
  gateway: Station;
  /** The platform's host: its address on `xenbr<index>`. */
  host: Station;
  /** Machines of the company on this network; each has one interface, `eth0`. */
  machines: (Station & { name: string; namespace: NamespaceName })[];
  /** The domains' interfaces on this network, with the namespace of the guest end. */
  vifs: (Pick<VifPlan, "vif" | "guest" | "mac" | "address" | "configuration"> & {
    namespace: NamespaceName;
  })[];
  /** CPUs that process received frames: on the host's interfaces, in the guests, and on the LAN's side. Empty: no RPS. */
  rpsCpus: { host: number[]; guest: number[]; lan: number[] };
}

const MTU = 1500;

/**
 * MAC of switch ports, as Xen gives its vifs: no frame is ever addressed to it, and being the highest unicast address
 * a bridge would never choose it for its own.
 */
const PORT_MAC = "fe:ff:ff:ff:ff:ff";

/** An interface and where it is. */
interface End {
  namespace: NamespaceName;
  name: string;
  mac: string;
  master: string | null;
  rpsCpus: number[];
}

/**
 * Bridge mode: guests are ordinary machines of the company LAN. A switch `lan<i>` in the LAN's namespace connects the
 * company's machines and the host's card `eth<i>`; in the host's namespace `xenbr<i>` joins that card and the guests' vifs.
 * Pure. Merge the fragments of several networks with `mergeNetworkStates`.
 */
export function bridgeNetwork(network: BridgeNetwork): NetworkState {
  const { lanNamespace: lan, hostNamespace: host, rpsCpus } = network;
  const lanBridge = `lan${network.index}`;
  const hostBridge = `xenbr${network.index}`;
  const card = `eth${network.index}`;

  const fragments: NetworkState[] = [
    // The company's router forwards between its networks.
    withBridge(lan, lanBridge, network.gateway, network.prefix, { "net.ipv4.ip_forward": "1" }),
    withBridge(host, hostBridge, network.host, network.prefix, { "net.ipv4.ip_forward": "0" }),
    wire(
      {
        namespace: lan,
        name: `uplink${network.index}`,
        mac: PORT_MAC,
        master: lanBridge,
        rpsCpus: rpsCpus.lan,
      },
      // A bridge and the card that it took over show the same MAC, as on a real host.
      {
        namespace: host,
        name: card,
        mac: network.host.mac,
        master: hostBridge,
        rpsCpus: rpsCpus.host,
      },
    ),
  ];
  if (network.index === 0) {
    fragments.push(routing(host, [], defaultRoute(hostBridge, network.gateway.address)));
  }

  for (const machine of network.machines) {
    fragments.push(
      quiet(machine.namespace),
      wire(
        {
          namespace: lan,
          name: machine.name,
          mac: PORT_MAC,
          master: lanBridge,
          rpsCpus: rpsCpus.lan,
        },
        {
          namespace: machine.namespace,
          name: "eth0",
          mac: machine.mac,
          master: null,
          rpsCpus: rpsCpus.lan,
        },
      ),
      routing(
        machine.namespace,
        [{ link: "eth0", address: machine.address, prefix: network.prefix }],
        defaultRoute("eth0", network.gateway.address),
      ),
    );
  }

  for (const { vif, guest, mac, address, configuration, namespace } of network.vifs) {
    fragments.push(
      quiet(namespace),
      wire(
        { namespace: host, name: vif, mac: PORT_MAC, master: hostBridge, rpsCpus: rpsCpus.host },
        { namespace, name: guest, mac, master: null, rpsCpus: rpsCpus.guest },
      ),
      configuration === "dhcp"
        ? { [namespace]: { ...emptyNamespace(), leased: [guest] } }
        : routing(
            namespace,
            [{ link: guest, address, prefix: network.prefix }],
            // A domain has one default route: through its first interface.
            guest === "eth0" ? defaultRoute(guest, network.gateway.address) : [],
          ),
    );
  }
  return mergeNetworkStates(fragments);
}

function emptyNamespace(): NamespaceState {
  return { links: [], addresses: [], routes: [], neighbours: [], sysctls: {}, tables: {} };
}

/** Every namespace of a lab: loopback up, no IPv6 (no router solicitations, no addresses that come by themselves). */
function quiet(namespace: NamespaceName): NetworkState {
  const loopback: Link = {
    name: "lo",
    kind: "loopback",
    up: true,
    mtu: 65536,
    mac: null,
    master: null,
    peer: null,
    rpsCpus: [],
  };
  return {
    [namespace]: {
      ...emptyNamespace(),
      links: [loopback],
      sysctls: { "net.ipv6.conf.all.disable_ipv6": "1" },
    },
  };
}

function withBridge(
  namespace: NamespaceName,
  name: string,
  own: Station,
  prefix: number,
  sysctls: Record<string, string>,
): NetworkState {
  const bridge: Link = {
    name,
    kind: "bridge",
    up: true,
    mtu: MTU,
    mac: own.mac,
    master: null,
    peer: null,
    rpsCpus: [],
  };
  const addresses: Address[] = [{ link: name, address: own.address, prefix }];
  return mergeNetworkStates([
    quiet(namespace),
    {
      [namespace]: {
        ...emptyNamespace(),
        links: [bridge],
        addresses,
        // With br_netfilter loaded, frames that only cross the bridge would be filtered and tracked as if they were routed.
        sysctls: { ...sysctls, "net.bridge.bridge-nf-call-iptables": "0" },
      },
    },
  ]);
}

function wire(a: End, b: End): NetworkState {
  const end = (self: End, other: End): NetworkState => ({
    [self.namespace]: {
      ...emptyNamespace(),
      links: [
        {
          name: self.name,
          kind: "veth",
          up: true,
          mtu: MTU,
          mac: self.mac,
          master: self.master,
          peer: { namespace: other.namespace, name: other.name },
          rpsCpus: self.rpsCpus,
        },
      ],
    },
  });
  return mergeNetworkStates([end(a, b), end(b, a)]);
}

function routing(namespace: NamespaceName, addresses: Address[], routes: Route[]): NetworkState {
  return { [namespace]: { ...emptyNamespace(), addresses, routes } };
}

function defaultRoute(link: string, via: string): Route[] {
  return [{ destination: "default", via, link }];
}
