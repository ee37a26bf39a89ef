import { canonicalSubnet } from "../model/ip-range.ts";
import { lanOf, subnetsOf, type CompanyLan } from "../model/lab-networks.ts";
import type { Lab } from "../model/lab.ts";
import type { VlanBackend } from "../model/network.ts";
import type { NetworkPlan } from "../model/plan.ts";
import { lanDevice } from "../networks/company-lan.ts";
import { vlanBridge } from "../networks/vlan.ts";
import { indexOf } from "./network.ts";

/** The lab's networks, for showing and drawing. */
export function planNetworks(lab: Lab, lans: readonly CompanyLan[], vlanBackend: VlanBackend): NetworkPlan[] {
  return Object.entries(lab.networks).map(([name, network]): NetworkPlan => {
    const lan = lanOf(lans, name, network);
    const subnets = subnetsOf(lans, name, network);
    const bridge = () => {
      switch (network.mode) {
        case "bridge":
          return lan === null ? null : lanDevice(lan.index, true);
        case "routed":
          return null;
        case "nat":
          return `natbr${indexOf(lab, name)}`;
        case "isolated":
          return `isobr${indexOf(lab, name)}`;
        case "vlan":
          return vlanBridge(vlanBackend, network.id);
      }
    };
    return {
      name,
      mode: network.mode,
      lan: lan?.index ?? null,
      vlan: network.mode === "vlan" ? { id: network.id, backend: vlanBackend } : null,
      bridge: bridge(),
      subnet: canonicalSubnet(subnets?.subnet ?? ""),
      subnet6: subnets === null || subnets.subnet6 === null ? null : canonicalSubnet(subnets.subnet6),
    };
  });
}

/** The backend that the lab asks for, else the one that works here: all VLANs share one trunk. */
export function vlanBackendOf(lab: Lab, found: VlanBackend): VlanBackend {
  for (const network of Object.values(lab.networks)) {
    if (network.mode === "vlan" && network.backend !== "auto") return network.backend;
  }
  return found;
}

/** What a measurement over this backend has to say of itself. */
export function backendCaveats({ networks }: Lab, backend: VlanBackend): string[] {
  const isUsed = backend === "openvswitch" && Object.values(networks).some(({ mode }) => mode === "vlan");
  if (!isUsed) return [];
  return ["backend-bound: VLANs pass Open vSwitch's userspace datapath, which takes its time from the platform's CPUs"];
}
