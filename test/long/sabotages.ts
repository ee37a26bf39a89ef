import type { LabPlan } from "../../src/model/plan.ts";
import type { StopCause } from "../../src/model/reachability.ts";

/** What somebody may do to the lab of sabotage.test.ts, and what is to be said of it. */
interface Sabotage {
  name: string;
  /** Where, and with what an operator would do it. */
  deeds: (plan: LabPlan) => { in: string; sh: string }[];
  /** Who then no longer reaches whom. */
  from: string;
  to: string;
  size?: number;
  cause: StopCause;
  /** The object that `why` names. */
  named: RegExp;
  /** What `diff` shows; null: nothing of the lab's differs, it is a foreign table. */
  shown: RegExp | null;
}

const vifOf = (plan: LabPlan, domain: string, index = 0) => {
  const vif = plan.domains.find(({ name }) => name === domain)?.vifs[index];
  if (vif === undefined) throw new Error(`${domain} has no interface ${index}`);
  return vif;
};
const onHost = (sh: (plan: LabPlan) => string) => (plan: LabPlan) => [{ in: "host", sh: sh(plan) }];
const natBridge = (plan: LabPlan) => plan.networks.find(({ mode }) => mode === "nat")?.bridge ?? "";

export const SABOTAGES: Sabotage[] = [
  {
    name: "a guest's host route is deleted",
    deeds: onHost((plan) => `ip route del ${vifOf(plan, "site").address}/32`),
    from: "station",
    to: "site",
    cause: "no-neighbour",
    named: /route 10\.81\.0\.\d+\/32: missing/,
    shown: /route 10\.81\.0\.\d+\/32: missing/,
  },
  {
    name: "the proxy neighbour is gone",
    deeds: onHost((plan) => `ip neigh del proxy ${vifOf(plan, "site").address} dev xenbr0`),
    from: "station",
    to: "site",
    cause: "no-neighbour",
    named: /neighbour proxy 10\.81\.0\.\d+ on xenbr0: missing/,
    shown: /neighbour proxy 10\.81\.0\.\d+ on xenbr0: missing/,
  },
  {
    name: "forwarding is off",
    deeds: onHost(() => "echo 0 >/proc/sys/net/ipv4/ip_forward"),
    from: "shop",
    to: "outside",
    cause: "not-forwarding",
    named: /sysctl net\.ipv4\.ip_forward: 0 -> 1/,
    shown: /sysctl net\.ipv4\.ip_forward: 0 -> 1/,
  },
  {
    name: "the masquerade is flushed",
    deeds: onHost(() => "nft flush chain inet cloison-host postrouting"),
    from: "shop",
    to: "outside",
    cause: "no-route",
    named: /table \w+ cloison-\S+: .*differs/,
    shown: /table \w+ cloison-\S+: .*differs/,
  },
  {
    name: "a rule of the lab's own table is changed",
    deeds: onHost(() => "nft insert rule inet cloison-host forward meta l4proto icmp drop"),
    from: "shop",
    to: "outside",
    cause: "nft-rule",
    named: /table inet cloison-host: chain forward differs/,
    shown: /table inet cloison-host: chain forward differs/,
  },
  {
    name: "somebody else's table drops",
    deeds: onHost(
      () =>
        "nft add table inet evil && nft 'add chain inet evil c { type filter hook forward priority 5; policy accept; }' && nft add rule inet evil c meta l4proto icmp drop",
    ),
    from: "shop",
    to: "outside",
    cause: "nft-rule",
    named: /inet evil c/,
    shown: null,
  },
  {
    name: "a vif is down",
    deeds: onHost((plan) => `ip link set ${vifOf(plan, "clerk").vif} down`),
    from: "station",
    to: "clerk",
    cause: "link-down",
    named: /link vif2\.0: up false -> true/,
    shown: /link vif2\.0: up false -> true/,
  },
  {
    name: "a vif is on the wrong bridge",
    deeds: onHost((plan) => `ip link set ${vifOf(plan, "clerk").vif} master ${natBridge(plan)}`),
    from: "station",
    to: "clerk",
    cause: "no-neighbour",
    named: /link vif2\.0: master "\w+" -> "xenbr0"/,
    shown: /link vif2\.0: master "\w+" -> "xenbr0"/,
  },
  {
    name: "a port is in the wrong VLAN",
    deeds: (plan) => [
      {
        in: "host",
        sh: `ovs-vsctl --db=unix:/run/cloison/sabotage/switch.host/db.sock set port ${vifOf(plan, "phone").vif} tag=99`,
      },
    ],
    from: "outside-voice",
    to: "phone",
    cause: "vlan-mismatch",
    named: /switch ovsbr0/,
    shown: /switch ovsbr0/,
  },
  {
    name: "reverse paths are filtered strictly",
    deeds: () => [{ in: "dual", sh: "echo 1 >/proc/sys/net/ipv4/conf/all/rp_filter" }],
    from: "station",
    to: "10.82.0.13",
    cause: "reverse-path",
    named: /sysctl net\.ipv4\.conf\.all\.rp_filter: 1 -> 0/,
    shown: /sysctl net\.ipv4\.conf\.all\.rp_filter: 1 -> 0/,
  },
  {
    name: "the gateway's ARP entry is poisoned",
    deeds: () => [{ in: "shop", sh: "ip neigh replace 10.83.0.1 lladdr 00:16:3e:de:ad:01 dev eth0 nud reachable" }],
    from: "shop",
    to: "outside",
    cause: "wrong-neighbour",
    named: /10\.83\.0\.1 .*00:16:3e:de:ad:01/,
    shown: /neighbour 10\.83\.0\.1 on eth0: learned 00:16:3e:de:ad:01/,
  },
  {
    name: "an address is there twice",
    deeds: (plan) => [{ in: "other", sh: `ip address add ${vifOf(plan, "dual", 1).address}/24 dev eth0` }],
    from: "lan",
    to: "10.82.0.13",
    cause: "duplicate-address",
    named: /address 10\.82\.0\.13\/24 on eth0: not wanted/,
    shown: /address 10\.82\.0\.13\/24 on eth0: not wanted/,
  },
  {
    name: "large packets fall into a hole",
    deeds: onHost((plan) => `ip link set ${vifOf(plan, "clerk").vif} mtu 600`),
    from: "station",
    to: "clerk",
    size: 1500,
    cause: "mtu",
    named: /link vif2\.0: mtu 600 -> 1500/,
    shown: /link vif2\.0: mtu 600 -> 1500/,
  },
  {
    name: "a guest spoofs its MAC",
    deeds: () => [{ in: "clerk", sh: "ip link set eth0 address 00:16:3e:5b:00:0f" }],
    from: "clerk",
    to: "station",
    cause: "spoof-guard",
    named: /link eth0: mac "00:16:3e:5b:00:0f" ->/,
    shown: /link eth0: mac "00:16:3e:5b:00:0f" ->/,
  },
  {
    name: "ports are isolated",
    deeds: onHost((plan) =>
      ["desk", "clerk"].map((name) => `bridge link set dev ${vifOf(plan, name).vif} isolated on`).join(" && "),
    ),
    from: "desk",
    to: "clerk",
    cause: "port-isolated",
    named: /link vif[12]\.0: isolated/,
    shown: /link vif2\.0: isolated/,
  },
  {
    name: "a guest has lost its default route",
    deeds: () => [{ in: "shop", sh: "ip route del default" }],
    from: "shop",
    to: "outside",
    cause: "no-route",
    named: /route default: missing/,
    shown: /route default: missing/,
  },
  {
    name: "a private network's gateway has lost its address",
    deeds: onHost((plan) => `ip address del 10.83.0.1/24 dev ${natBridge(plan)}`),
    from: "shop",
    to: "outside",
    cause: "not-listening-here",
    named: /address 10\.83\.0\.1\/24 on \w+: missing/,
    shown: /address 10\.83\.0\.1\/24 on \w+: missing/,
  },
  {
    name: "a vif has been deleted",
    deeds: onHost((plan) => `ip link del ${vifOf(plan, "clerk").vif}`),
    from: "station",
    to: "clerk",
    cause: "not-listening-here",
    named: /link (vif2\.0|eth0): missing/,
    shown: /link vif2\.0: missing/,
  },
];
