import type { Host } from "../host/host.ts";
import type { DomainPlan, LabPlan } from "../model/plan.ts";
import { eachNamespace } from "../netstate/each-namespace.ts";

/** The kernel announces an interface's addresses when its MAC is set, also to what it is (arp_notify of ip-sysctl). */
const ANNOUNCE = `while [ $# -gt 0 ]; do
  setting="/proc/sys/net/ipv4/conf/$1/arp_notify"
  was=$(cat "$setting")
  echo 1 >"$setting"
  ip link set "$1" address "$2"
  echo "$was" >"$setting"
  shift 2
done`;

/**
 * Has domains say where they are, to every switch that an uplink leads to: one that was at another host before is looked for
 * there for minutes, unless it says something by itself.
 */
export async function announce(host: Host, plan: LabPlan, domains: readonly DomainPlan[]): Promise<void> {
  const lans = new Set(plan.uplinks.map(({ lan }) => lan));
  const wired = plan.networks.filter(({ mode, lan }) => mode === "bridge" && lan !== null && lans.has(lan));
  const names = new Set(wired.map(({ name }) => name));
  const outside = domains.flatMap(({ namespace, vifs }) =>
    vifs.filter(({ network }) => names.has(network)).map(({ guest, mac }) => ({ namespace, guest, mac })),
  );
  await eachNamespace(outside, async (namespace, vifs) => {
    const words = vifs.flatMap(({ guest, mac }) => [guest, mac]);
    await host.processes.must({ argv: ["sh", "-euc", ANNOUNCE, "announce", ...words], namespace });
  });
}
