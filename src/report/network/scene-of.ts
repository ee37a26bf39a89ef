import type { LabPlan, NetworkPlan } from "../../model/plan.ts";
import type { Scene, SceneGuest, SceneLan } from "./scene.ts";

/** Guests of one kind that are drawn; of more, one stands for the others. */
const GUESTS_SHOWN = 3;

/** What a drawing of this lab shows. Pure. */
export function sceneOf(plan: LabPlan): Scene {
  return {
    lans: [...companyLans(plan), ...trunk(plan)],
    networks: plan.networks.map((network) => ({
      name: network.name,
      mode: network.mode,
      detail: [network.bridge, network.subnet].filter((part) => part !== null).join(" · "),
      lan: network.vlan === null ? (network.lan === null ? null : `lan${network.lan}`) : TRUNK,
      way: wayOf(network),
    })),
    guests: fewGuests(plan),
  };
}

const TRUNK = "trunk";

function wayOf({ mode, vlan }: NetworkPlan): string | null {
  if (vlan !== null) return `802.1Q tag ${vlan.id}${vlan.backend === "openvswitch" ? ", Open vSwitch" : ""}`;
  if (mode === "nat") return "masquerade";
  return mode === "routed" ? "routed, proxy ARP" : null;
}

function companyLans(plan: LabPlan): SceneLan[] {
  const onLan = new Map<string, { name: string; detail: string }[]>();
  const router = plan.network[plan.lanNamespace];
  for (const { link, address, prefix } of router?.addresses ?? []) {
    if (address.includes(":")) continue;
    onLan.set(link, [{ name: "router", detail: `${address}/${prefix}` }]);
  }
  for (const { kind, name, interfaces } of plan.endpoints) {
    if (kind !== "machine" || name.startsWith("outside-")) continue;
    const wire = router?.links.find((link) => link.peer?.namespace === plan.machines[name]?.namespace);
    const machine = { name, detail: interfaces[0]?.addresses[0] ?? "" };
    if (wire !== undefined && wire.master !== null)
      onLan.set(wire.master, [machine, ...(onLan.get(wire.master) ?? [])]);
  }
  return [...onLan].map(([id, machines]) => ({
    id,
    label: `company LAN ${id}`,
    card: `eth${id.replace(/\D+/, "")}`,
    machines,
  }));
}

function trunk(plan: LabPlan): SceneLan[] {
  const vlans = plan.networks.filter(({ vlan }) => vlan !== null);
  if (vlans.length === 0) return [];
  const card = plan.network[plan.hostNamespace]?.links.find(({ peer }) => peer?.name === "trunk0")?.name ?? "eth";
  return [
    {
      id: TRUNK,
      label: `trunk · ${vlans.length === 1 ? "VLAN" : "VLANs"} ${vlans.map(({ vlan }) => vlan?.id).join(", ")}`,
      card,
      machines: vlans.map(({ name, vlan }) => ({ name: `outside-${name}`, detail: `VLAN ${vlan?.id}` })),
    },
  ];
}

/** Guests with the same networks as many others are not all drawn. */
function fewGuests(plan: LabPlan): SceneGuest[] {
  const kinds = new Map<string, SceneGuest[]>();
  for (const { name, vifs } of plan.domains) {
    const kind = vifs.map(({ network }) => network).join(" ");
    const guest = { name, nics: vifs.map(({ vif, network, address }) => ({ vif, network, address })), more: 0 };
    kinds.set(kind, [...(kinds.get(kind) ?? []), guest]);
  }
  return [...kinds.values()].flatMap((guests) => {
    if (guests.length <= GUESTS_SHOWN + 1) return guests;
    const shown = guests.slice(0, GUESTS_SHOWN);
    return shown.map((guest, i) => (i === shown.length - 1 ? { ...guest, more: guests.length - shown.length } : guest));
  });
}
