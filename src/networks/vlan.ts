import type { Link, NetworkState, SwitchPort } from "../model/network-state.ts";
import type { VlanBackend } from "../model/network.ts";
import type { NamespaceName } from "../model/plan.ts";
import type { Station } from "./company-lan.ts";
import { addressesOf, bridge, inNamespace, PORT_MAC, quiet, wire, type RpsCpus } from "./fragment.ts";
import { closed, closedBridge } from "./closed.ts";
import { bridgeGuard, guardOf } from "./guard.ts";
import { guestLinks, type Guest } from "./guest.ts";
import { mergeNetworkStates } from "./merge.ts";

/** One VLAN of the trunk. */
export interface Vlan {
  id: number;
  prefix: number;
  prefix6: number | null;
  mtu: number;
  /** The company's machine in this VLAN; its wire's end on the LAN's side is `outside.<id>`. */
  outside: Station & { namespace: NamespaceName };
  vifs: Guest[];
}

/** All VLANs of a lab, which share one trunk: the host's card ~ `trunk0` in the LAN's namespace. */
export interface VlanTrunk {
  backend: VlanBackend;
  hostNamespace: NamespaceName;
  lanNamespace: NamespaceName;
  /** Of the host, `eth<k>` after the LANs' cards. */
  card: { name: string; mac: string };
  /** The trunk's end on the LAN's side. */
  trunk: { mac: string };
  mtu: number;
  vlans: Vlan[];
  rpsCpus: RpsCpus;
}

const TRUNK = "trunk0";
const HOST_SWITCH = "ovsbr0";
const LAN_SWITCH = "ovslan0";

/** The host's bridge or switch that holds the vifs of a VLAN. */
export const vlanBridge = (backend: VlanBackend, id: number) => (backend === "kernel" ? `vlanbr${id}` : HOST_SWITCH);

/**
 * VLAN mode: guests of one VLAN see each other and that VLAN's outside machine, whatever else shares the cable; neither the
 * host nor the company's router has an address there. Pure.
 */
export function vlanNetworks(trunk: VlanTrunk): NetworkState {
  const { backend, hostNamespace, lanNamespace, card, rpsCpus, mtu, vlans } = trunk;
  const joined = backend === "kernel" ? kernelVlans(trunk) : switchedVlans(trunk);
  return mergeNetworkStates([
    quiet(hostNamespace),
    quiet(lanNamespace),
    ...wire(
      { namespace: lanNamespace, name: TRUNK, mac: trunk.trunk.mac, master: null, rpsCpus: rpsCpus.lan },
      { namespace: hostNamespace, name: card.name, mac: card.mac, master: null, rpsCpus: rpsCpus.host },
      mtu,
    ),
    closed(hostNamespace, [card.name]),
    closed(lanNamespace, [TRUNK]),
    ...vlans.flatMap((vlan) => [outsideMachine(trunk, vlan), ...guests(trunk, vlan)]),
    joined,
  ]);
}

function guests({ backend, hostNamespace, rpsCpus }: VlanTrunk, vlan: Vlan): NetworkState[] {
  const master = backend === "kernel" ? vlanBridge(backend, vlan.id) : null;
  const { mtu, prefix, prefix6 } = vlan;
  const inSwitch = backend === "openvswitch";
  // What goes to a guest at a limited rate is the switch port's own to limit.
  const vifs = inSwitch ? vlan.vifs.map(withoutInRate) : vlan.vifs;
  return guestLinks(vifs, { hostNamespace, rpsCpus, mtu, master, prefix, prefix6, gateway: null });
}

function withoutInRate(guest: Guest): Guest {
  if (guest.shaping?.in?.rateBitsPerSecond === undefined) return guest;
  const { rateBitsPerSecond: _, ...rest } = guest.shaping.in;
  return { ...guest, shaping: { ...guest.shaping, in: Object.keys(rest).length === 0 ? undefined : rest } };
}

const outsidePort = (id: number) => `outside.${id}`;

function outsideMachine({ backend, lanNamespace, rpsCpus }: VlanTrunk, vlan: Vlan): NetworkState {
  const { namespace, mac, address6 = null } = vlan.outside;
  return mergeNetworkStates([
    quiet(namespace, address6 !== null),
    ...wire(
      {
        namespace: lanNamespace,
        name: outsidePort(vlan.id),
        mac: PORT_MAC,
        master: backend === "kernel" ? `vlan${vlan.id}` : null,
        rpsCpus: rpsCpus.lan,
      },
      { namespace, name: "eth0", mac, master: null, rpsCpus: rpsCpus.lan },
      vlan.mtu,
    ),
    inNamespace(namespace, {
      addresses: addressesOf("eth0", { ...vlan.outside, prefix: vlan.prefix }, { address6, prefix6: vlan.prefix6 }),
    }),
  ]);
}

/** 802.1Q sub-interfaces of the trunk, each in a bridge of its own, on both sides. */
function kernelVlans({ hostNamespace, lanNamespace, card, trunk, vlans }: VlanTrunk): NetworkState {
  const side = (namespace: NamespaceName, parent: string, mac: string, name: string, { id, mtu }: Vlan) => {
    const link: Link = {
      name: `${parent}.${id}`,
      kind: "vlan",
      up: true,
      mtu,
      mac,
      master: name,
      peer: null,
      rpsCpus: [],
      vlan: { parent, id },
    };
    return [
      bridge(namespace, name, mac, mtu),
      inNamespace(namespace, { links: [link] }),
      closedBridge(namespace, name),
    ];
  };
  return mergeNetworkStates(
    vlans.flatMap((vlan) => [
      ...side(hostNamespace, card.name, card.mac, `vlanbr${vlan.id}`, vlan),
      ...side(lanNamespace, TRUNK, trunk.mac, `vlan${vlan.id}`, vlan),
      bridgeGuard(hostNamespace, vlan.vifs),
    ]),
  );
}

/** One switch on each side, with the trunk and an access port for each vif. */
function switchedVlans({ hostNamespace, lanNamespace, card, vlans }: VlanTrunk): NetworkState {
  const trunkPort = (link: string): SwitchPort => ({
    link,
    vlan: { trunk: vlans.map(({ id }) => id).toSorted((a, b) => a - b) },
    guard: null,
  });
  const vifPorts = vlans.flatMap(({ id, vifs }) =>
    vifs.map((vif): SwitchPort => {
      const rateBitsPerSecond = vif.shaping?.in?.rateBitsPerSecond;
      return {
        link: vif.vif,
        vlan: { access: id },
        guard: guardOf(vif),
        ...(rateBitsPerSecond === undefined ? {} : { rateBitsPerSecond }),
      };
    }),
  );
  const outsidePorts = vlans.map(({ id }): SwitchPort => ({
    link: outsidePort(id),
    vlan: { access: id },
    guard: null,
  }));
  return mergeNetworkStates([
    inNamespace(hostNamespace, { switches: [{ name: HOST_SWITCH, ports: [trunkPort(card.name), ...vifPorts] }] }),
    inNamespace(lanNamespace, { switches: [{ name: LAN_SWITCH, ports: [trunkPort(TRUNK), ...outsidePorts] }] }),
    // The switch takes copies: the kernel sees all that enters its ports, too.
    closed(
      hostNamespace,
      vifPorts.map(({ link }) => link),
    ),
    closed(
      lanNamespace,
      outsidePorts.map(({ link }) => link),
    ),
  ]);
}
