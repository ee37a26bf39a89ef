import { isWithin, canonicalSubnet } from "../model/ip-range.ts";
import { lanOf, mtuOf, routeDestination, trunkMtu, type CompanyLan } from "../model/lab-networks.ts";
import type { Lab } from "../model/lab.ts";
import type { NetworkOf, VlanBackend } from "../model/network.ts";
import type { NetworkState, Route, Shaping } from "../model/network-state.ts";
import type { Nic } from "../model/network.ts";
import type { LabPlan, NamespaceName, VifPlan } from "../model/plan.ts";
import { bridgeNetwork } from "../networks/bridge.ts";
import { companyLan, lanDevice, type CompanyLanInputs } from "../networks/company-lan.ts";
import { inNamespace, NO_REVERSE_PATH_FILTER, type RpsCpus } from "../networks/fragment.ts";
import type { Guest } from "../networks/guest.ts";
import { isolatedNetwork } from "../networks/isolated.ts";
import { mergeNetworkStates } from "../networks/merge.ts";
import { natNetwork } from "../networks/nat.ts";
import { routedNetwork } from "../networks/routed.ts";
import { routerDomain } from "../networks/router.ts";
import { vlanNetworks, type Vlan } from "../networks/vlan.ts";
import type { PlannedDomain } from "./domains.ts";
import type { PlannedForward } from "./forwards.ts";
import type { Segments } from "./segments.ts";
import { outsideOf } from "./machines.ts";

/** All that is decided when the network is made from it. */
export interface NetworkInputs {
  segments: Segments;
  domains: PlannedDomain[];
  forwards: PlannedForward[];
  machines: LabPlan["machines"];
  hostNamespace: NamespaceName;
  lanNamespace: NamespaceName;
  vlanBackend: VlanBackend;
  rpsCpus: RpsCpus;
  macOf(owner: string): string;
}

/** The network of every namespace of a lab: its LANs and networks, each by its mode, and the domains that route. */
export function planNetwork(lab: Lab, inputs: NetworkInputs): NetworkState {
  return mergeNetworkStates([
    ...inputs.segments.lans
      .filter(({ network }) => network === null)
      .map((lan) => companyLan(lanInputs(lan, inputs), false)),
    ...Object.keys(lab.networks).flatMap((name) => networkStates(lab, name, inputs)),
    vlans(lab, inputs),
    ...inputs.domains.map((domain) => ownRouting(domain)),
  ]);
}

function networkStates(lab: Lab, name: string, inputs: NetworkInputs): NetworkState[] {
  const network = lab.networks[name];
  const { segments, hostNamespace, rpsCpus } = inputs;
  if (network === undefined || network.mode === "vlan") return [];
  const mtu = mtuOf(lab, segments.lans, name, network);
  const vifs = guestsOf(lab, name, inputs);
  const common = { hostNamespace, rpsCpus, mtu, vifs };
  const lan = lanOf(segments.lans, name, network);
  switch (network.mode) {
    case "bridge":
      return lan === null ? [] : [bridgeNetwork({ ...lanInputs(lan, inputs), vifs })];
    case "routed": {
      const host = lan === null ? null : segments.hostOn(lan);
      if (lan === null || host === null) return [];
      const routed = routedNetwork({ ...common, device: lanDevice(lan.index, lan.bridged), host });
      return lan.network === name ? [companyLan(lanInputs(lan, inputs), false), routed] : [routed];
    }
    case "nat":
      return lan === null ? [] : [nat(lab, name, network, lan, common, inputs)];
    case "isolated": {
      const index = indexOf(lab, name);
      const { prefix, gateway } = segments.ofNetwork(name);
      const host = { address: network.host ? gateway : null, mac: inputs.macOf(`isobr/${index}`) };
      const isolatedPorts = network.ports === "isolated";
      return [isolatedNetwork({ ...common, name, index, prefix, host, isolatedPorts })];
    }
  }
}

function nat(
  lab: Lab,
  name: string,
  network: NetworkOf<"nat">,
  lan: CompanyLan,
  common: { hostNamespace: NamespaceName; rpsCpus: RpsCpus; mtu: number; vifs: Guest[] },
  { segments, forwards, macOf }: NetworkInputs,
): NetworkState {
  const index = indexOf(lab, name);
  const { prefix, gateway } = segments.ofNetwork(name);
  return natNetwork({
    ...common,
    name,
    index,
    subnet: canonicalSubnet(network.subnet),
    prefix,
    gateway: { address: gateway, mac: macOf(`natbr/${index}`) },
    outside: segments.hostOn(lan)?.address ?? "",
    leavesByDefault: lan.index === defaultLan(segments)?.index,
    forwards: forwards.filter((forward) => forward.network === name),
    isolatedPorts: network.ports === "isolated",
  });
}

/** Position among the lab's networks of the same mode. */
export function indexOf(lab: Lab, name: string): number {
  const { mode } = lab.networks[name] ?? {};
  return Object.entries(lab.networks)
    .filter(([, network]) => network.mode === mode)
    .findIndex(([other]) => other === name);
}

/** The LAN that the host's default route leaves by. */
function defaultLan({ lans }: Segments): CompanyLan | undefined {
  return lans.find(({ host }) => host);
}

function lanInputs(lan: CompanyLan, inputs: NetworkInputs): CompanyLanInputs {
  const { segments, macOf, machines, lanNamespace, hostNamespace, rpsCpus } = inputs;
  const { index } = lan;
  const pool = segments.ofLan(lan);
  const host = segments.hostOn(lan);
  const gateway = { address: pool.gateway, address6: pool.gateway6, mac: macOf(`gateway/${index}`) };
  return {
    index,
    prefix: pool.prefix,
    prefix6: pool.prefix6,
    mtu: lan.mtu,
    lanNamespace,
    hostNamespace,
    gateway,
    host: { address: null, ...host, mac: macOf(`host/${index}`) },
    defaultRoute: index === defaultLan(segments)?.index,
    machines:
      lan === segments.station
        ? (["station", "outside"] as const).map((name) => ({
            name,
            namespace: machines[name].namespace,
            ...segments.machines[name],
            mac: macOf(`${name}/${index}`),
          }))
        : [],
    rpsCpus,
  };
}

function guestsOf(lab: Lab, network: string, { domains }: NetworkInputs): Guest[] {
  return domains.flatMap(({ plan, context, nics }) =>
    plan.vifs.flatMap((vif, i): Guest[] => {
      if (vif.network !== network) return [];
      const nic = nics[i];
      // A domain that routes sends what others have sent.
      const isGuarded =
        nic?.antispoof ?? (lab.networks[network]?.antispoof === true && context.domain.router === undefined);
      return [
        {
          ...vif,
          namespace: plan.namespace,
          ...(isGuarded ? { guarded: plan.name } : {}),
          ...(nic === undefined ? {} : { shaping: shapingOf(nic) }),
        },
      ];
    }),
  );
}

function shapingOf({ rate, delay, loss }: Nic): NonNullable<Guest["shaping"]> {
  const shaping = (one: Shaping) => (Object.keys(one).length === 0 ? undefined : one);
  return {
    in: shaping({
      ...(rate.in === undefined ? {} : { rateBitsPerSecond: rate.in }),
      ...(delay === undefined ? {} : { delayMs: delay }),
      ...(loss === undefined ? {} : { lossPercent: loss }),
    }),
    out: shaping(rate.out === undefined ? {} : { rateBitsPerSecond: rate.out }),
  };
}

function vlans(lab: Lab, inputs: NetworkInputs): NetworkState {
  const { segments, machines, macOf, hostNamespace, lanNamespace, rpsCpus, vlanBackend } = inputs;
  const list = Object.entries(lab.networks).flatMap(([name, network]): Vlan[] => {
    if (network.mode !== "vlan") return [];
    const { prefix, prefix6, sixth } = segments.ofNetwork(name);
    const outside = machines[outsideOf(name)];
    if (outside === undefined) return [];
    return [
      {
        id: network.id,
        prefix,
        prefix6,
        mtu: mtuOf(lab, segments.lans, name, network),
        outside: { ...outside, address6: sixth(outside.address), mac: macOf(`${outside.name}/0`) },
        vifs: guestsOf(lab, name, inputs),
      },
    ];
  });
  if (list.length === 0) return {};
  return vlanNetworks({
    backend: vlanBackend,
    hostNamespace,
    lanNamespace,
    card: { name: `eth${segments.lans.length}`, mac: macOf("card/trunk") },
    trunk: { mac: macOf("trunk") },
    mtu: trunkMtu(lab),
    vlans: list,
    rpsCpus,
  });
}

/** What a domain's network needs besides what its networks give it. */
function ownRouting({ plan, context: { domain } }: PlannedDomain): NetworkState {
  const { namespace, vifs } = plan;
  const link = (network: string) => vifs.find((vif) => vif.network === network)?.guest ?? "";
  const allowed =
    domain.router === undefined || domain.router === true
      ? null
      : domain.router.allow.map(({ from, to, protocol = null, port = null }) => ({
          from: link(from),
          to: link(to),
          protocol,
          port,
        }));
  const hasIpv6 = vifs.some(({ address6 }) => address6 !== null);
  const routes = domain.routes.flatMap(({ to, via }): Route[] => {
    const vif = vifs.find((one) => isNeighbour(one, via));
    if (vif === undefined) return [];
    return [
      { destination: routeDestination(to), via, link: vif.guest, ...(vif.onLinkGateway ? { onLink: true } : {}) },
    ];
  });
  if (domain.router === undefined && routes.length === 0 && vifs.length < 2) return {};
  return mergeNetworkStates([
    inNamespace(namespace, { routes, ...(vifs.length > 1 ? { sysctls: NO_REVERSE_PATH_FILTER } : {}) }),
    ...(domain.router === undefined ? [] : [routerDomain(namespace, allowed, hasIpv6)]),
  ]);
}

function isNeighbour({ address, prefix, address6, prefix6 }: VifPlan, via: string): boolean {
  return isWithin(via, `${address}/${prefix}`) || (address6 !== null && isWithin(via, `${address6}/${prefix6}`));
}
