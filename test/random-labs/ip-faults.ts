import { addAddress, changeLink, removeRoute, setSysctl, setTable } from "./deed.ts";
import { FOREIGN } from "./foreign.ts";
import { partOf, pick, preferring, sitesOf, vifsOf, type Fault, type Scene } from "./scene.ts";

const onHost =
  (sysctl: string, value: string): Fault =>
  ({ plan, state }) => [setSysctl(state, plan.hostNamespace, sysctl, value)];

const onDomain =
  (sysctl: string, value: string): Fault =>
  ({ plan, state, fault }) => {
    const domain = pick(plan.domains, fault.place);
    return domain === undefined ? null : [setSysctl(state, domain.namespace, sysctl, value)];
  };

/** Machines that forward, the host most often. */
function routerOf({ plan, fault: { other } }: Scene): string {
  return other % 3 === 0 ? plan.lanNamespace : plan.hostNamespace;
}

const OTHER_ADDRESS = "10.98.0.1";

/** What somebody may do about routes, sysctls and rules for IP packets. */
export const IP_FAULTS = {
  "route-deleted"(scene) {
    const routes = Object.entries(scene.state).flatMap(([namespace, { routes: own }]) =>
      own.filter(({ destination }) => !destination.includes(":")).map((route) => ({ namespace, route })),
    );
    const one = pick(routes, scene.fault.place);
    return one === undefined ? null : [removeRoute(one.namespace, one.route)];
  },
  "no-forwarding": onHost("net.ipv4.ip_forward", "0"),
  "narrow-router"(scene) {
    const { addresses, links } = partOf(scene, scene.plan.hostNamespace);
    const ways = links.filter(({ kind, name }) => kind === "bridge" && addresses.some(({ link }) => link === name));
    const way = pick(ways, scene.fault.place);
    return way === undefined ? null : [changeLink(scene.plan.hostNamespace, way, { mtu: 1280 })];
  },
  "ignores-echo": onDomain("net.ipv4.icmp_echo_ignore_all", "1"),
  "short-life": onDomain("net.ipv4.ip_default_ttl", "1"),
  "device-drop"(scene) {
    const { plan, state, fault } = scene;
    const vif = pick(vifsOf(scene), fault.place);
    return vif === undefined ? null : [setTable(state, plan.hostNamespace, FOREIGN.noTcpAt(vif.vif))];
  },
  "foreign-drop": ({ plan, state, fault }) => [
    setTable(state, plan.hostNamespace, fault.place % 2 === 0 ? FOREIGN.noBridgedTcp : FOREIGN.noForwardedPing),
  ],
  "foreign-policy": ({ plan, state, fault }) => {
    const domain = pick(plan.domains, fault.place);
    return domain === undefined ? null : [setTable(state, domain.namespace, FOREIGN.onlyDatagrams)];
  },
  "foreign-nat"(scene) {
    const namespace = routerOf(scene);
    const table = setTable(scene.state, namespace, FOREIGN.pingsFrom(OTHER_ADDRESS));
    // Without the address answers come back nowhere.
    return scene.fault.place % 2 === 0 ? [table] : [addAddress(namespace, "lo", OTHER_ADDRESS, 32), table];
  },
  "foreign-redirect": (scene) => [setTable(scene.state, routerOf(scene), FOREIGN.pingsHere)],
  "foreign-forward"(scene) {
    const site = pick(
      preferring(sitesOf(scene), ({ namespace }) => namespace !== scene.plan.hostNamespace),
      scene.fault.place,
    );
    return site === undefined ? null : [setTable(scene.state, routerOf(scene), FOREIGN.webTo(site.address))];
  },
  "no-hairpin"({ plan, state }) {
    const table = state[plan.hostNamespace]?.tables["inet cloison-host"];
    if (table === undefined) return null;
    const chains = table.chains.map((chain) => (chain.name === "postrouting" ? { ...chain, rules: [] } : chain));
    return [setTable(state, plan.hostNamespace, { ...table, chains })];
  },
  "bridge-netfilter": ({ plan, state }) => [
    setSysctl(state, plan.hostNamespace, "net.bridge.bridge-nf-call-iptables", "1"),
    setTable(state, plan.hostNamespace, FOREIGN.noForwardedWeb),
  ],
} satisfies Record<string, Fault>;
