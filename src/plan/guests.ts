import type { Link, NetworkState } from "../model/network-state.ts";
import type { DomainLimits, DomainPlan, MachinePlan } from "../model/plan.ts";
import type { Accel } from "../model/lab.ts";

/**
 * A network whose domains have kernels of their own: their namespaces are guests', the veths into them taps on the
 * machine's side, or vifs that the domains bring along, and cards inside.
 */
export function withGuests(
  network: NetworkState,
  domains: readonly DomainPlan[],
  outside: "tap" | "vif",
): NetworkState {
  const guests = new Set(domains.map(({ namespace }) => namespace));
  return Object.fromEntries(
    Object.entries(network).map(([namespace, state]) => {
      if (guests.has(namespace)) return [namespace, { ...state, guest: true, links: state.links.map(asNic) }];
      const asTap = (link: Link): Link =>
        link.peer !== null && guests.has(link.peer.namespace) ? { ...link, kind: outside } : link;
      return [namespace, { ...state, links: state.links.map(asTap) }];
    }),
  );
}

function asNic(link: Link): Link {
  return link.kind === "veth" ? { ...link, kind: "nic" } : link;
}

/** A machine has as many CPUs as it can use of its quota, at least one. */
export function machineOf({ cpus, cpuset }: DomainLimits, accel: Accel): MachinePlan {
  return { accel, vcpus: cpus === null ? cpuset.length : Math.min(cpuset.length, Math.max(1, Math.ceil(cpus))) };
}
