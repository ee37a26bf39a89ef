import { nicsOf } from "../model/lab-networks.ts";
import type { Lab, PlatformName } from "../model/lab.ts";
import type { VlanBackend } from "../model/network.ts";
import type { LabPart, LabPlan } from "../model/plan.ts";
import { planDhcp } from "./dhcp.ts";
import { planDomains, type DomainInputs } from "./domains.ts";
import { planEndpoints } from "./endpoints.ts";
import { planForwards, planTargets } from "./forwards.ts";
import { withGuests } from "./guests.ts";
import { macAllocator } from "./mac.ts";
import { planMachines } from "./machines.ts";
import { mergedContext, separateContexts } from "./merge.ts";
import { namespaceName } from "./namespace-name.ts";
import { planNetwork } from "./network.ts";
import { backendCaveats, planNetworks, vlanBackendOf } from "./networks.ts";
import { partOf } from "./part.ts";
import { placeRoles } from "./placement.ts";
import { planSegments } from "./segments.ts";
import { withUplinks } from "./uplinks.ts";
import { planWarnings } from "./warnings.ts";

/** What a plan depends on besides the lab file. */
export interface PlanInputs extends Omit<DomainInputs, "ownFiles" | "ownKernels"> {
  /** `merges`: all domains live in one context. `needsImages`: each has files of its own. `ownKernels`: each is a machine. `bringsVifs`: and its vifs come with it. */
  platform: { name: PlatformName; merges: boolean; needsImages?: boolean; ownKernels?: boolean; bringsVifs?: boolean };
  /** The machine's usable CPUs, ascending. */
  cpus: number[];
  /** What makes VLANs on this machine, for networks that leave it open; default: the kernel. */
  vlanBackend?: VlanBackend;
  /** The machine's net.ipv4.neigh.default.gc_thresh3; null, and by default: not known. */
  neighbourLimit?: number | null;
  /** What of the lab is on this host; default: all. */
  part?: LabPart | undefined;
}

/**
 * Decides everything about a lab before anything is touched: ids, names, MACs, addresses, limits, the network.
 * The same lab and inputs give the same plan.
 * @param lab one without issues (`labIssues`)
 * @throws LabError when the lab asks for more than the machine has
 */
export function planLab(lab: Lab, inputs: PlanInputs): LabPlan {
  const { platform } = inputs;
  const roles = placeRoles(inputs.cpus, lab.host.cpus ?? null);
  const separate = separateContexts(lab);
  const contexts = platform.merges ? mergedContext(lab) : separate;
  const fixedMacs = contexts.flatMap(({ domain }) => nicsOf(lab, domain).flatMap(({ mac }) => mac ?? []));
  const macOf = macAllocator(lab.name, fixedMacs);
  const segments = planSegments(lab, contexts);
  const vlanBackend = vlanBackendOf(lab, inputs.vlanBackend ?? "kernel");
  const placement = { ...roles, caveats: [...roles.caveats, ...backendCaveats(lab, vlanBackend)] };
  const hostNamespace = namespaceName(lab.name, "host");
  const lanNamespace = namespaceName(lab.name, "lan");

  const ownFiles = platform.needsImages === true;
  const ownKernels = platform.ownKernels === true;
  const all = planDomains(lab, contexts, segments, placement, macOf, { ...inputs, ownFiles, ownKernels });
  const machines = planMachines(lab, segments);
  const forwards = planForwards(lab, segments, all);
  // Frames reach a guest from the host's side, where they are already on the platform's CPUs.
  const rpsCpus = { host: placement.platform, guest: [], lan: placement.station };
  const where = { hostNamespace, lanNamespace };
  const whole = { segments, domains: all, forwards, machines, ...where, vlanBackend, rpsCpus, macOf };
  const here = partOf(lab, whole, inputs.part);
  const { domains } = here.inputs;
  const { lans } = here.inputs.segments;
  const networks = planNetworks(here.lab, lans, vlanBackend);
  const wired = planNetwork(here.lab, here.inputs);
  const network = ownKernels
    ? withGuests(
        wired,
        domains.map(({ plan }) => plan),
        platform.bringsVifs === true ? "vif" : "tap",
      )
    : wired;

  return withUplinks({
    lab: lab.name,
    platform: platform.name,
    placement,
    domains: domains.map(({ plan }) => plan),
    // Those that are elsewhere are found there, too.
    targets: planTargets(lab, all, forwards, separate),
    hostNamespace,
    lanNamespace,
    machines,
    dhcp:
      inputs.part?.isMain === false
        ? []
        : planDhcp(lab, segments, all, machines, { host: hostNamespace, lan: lanNamespace }),
    network,
    endpoints: planEndpoints(lab, { segments, domains, forwards, machines, networks, network, ...where }).filter(
      ({ namespace }) => namespace in network,
    ),
    networks,
    uplinks: lans.flatMap(({ index, uplink }) => (uplink === null ? [] : [{ lan: index, interface: uplink }])),
    warnings: planWarnings(domains, inputs.neighbourLimit ?? null),
  });
}
