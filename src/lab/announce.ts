import type { Host } from "../host/host.ts";
import type { DomainPlan, LabPlan } from "../model/plan.ts";

/** The kernel announces an interface's addresses when its MAC is set, also to what it is (arp_notify of ip-sysctl). */
const ANNOUNCE = `while [ $# -gt 0 ]; do
  echo 1 >"/proc/sys/net/ipv4/conf/$1/arp_notify"
  ip link set "$1" address "$2"
  echo 0 >"/proc/sys/net/ipv4/conf/$1/arp_notify"
  shift 2
done`;

/**
 * Has domains say where they are, to every switch that an uplink leads to: one that was at another host before is looked for
 * there for minutes, unless it says something by itself.
 */
export async function announce(host: Host, plan: LabPlan, domains: readonly DomainPlan[]): Promise<void> {
  const lans = plan.uplinks.map(({ lan }) => lan);
  const isOutside = (name: string) =>
    plan.networks.some(
      ({ name: network, mode, lan }) => network === name && mode === "bridge" && lans.includes(lan ?? -1),
    );
  for (const { namespace, vifs } of domains) {
    const outside = vifs.filter(({ network }) => isOutside(network)).flatMap(({ guest, mac }) => [guest, mac]);
    if (outside.length === 0) continue;
    await host.processes.must({ argv: ["sh", "-euc", ANNOUNCE, "announce", ...outside], namespace });
  }
}
