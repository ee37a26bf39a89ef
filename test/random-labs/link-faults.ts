import { FOREIGN } from "./foreign.ts";
import {
  changeLink,
  removeAddress,
  removeNeighbour,
  setNeighbour,
  setSysctl,
  setTable,
  addAddress,
  addRoute,
} from "./deed.ts";
import {
  crossroadsOf,
  isGuarded,
  linkOf,
  pairsOf,
  partOf,
  pick,
  preferring,
  sitesOf,
  vifsOf,
  type Fault,
  type Scene,
  type Site,
} from "./scene.ts";

const NOBODYS_MAC = "00:16:3e:de:ad:01";
const SECOND_ADDRESS = "10.99.0.1";

const bridgedPorts = (scene: Scene) =>
  partOf(scene, scene.plan.hostNamespace).links.filter(({ name, master }) => master !== null && name.startsWith("vif"));

/**
 * The way from a machine back to one of its neighbours leads elsewhere, by a machine that has several ways; and a sysctl of
 * the right one is set. No router: whom it has asked itself knows its MAC, and so whatever goes by it depends on who asks first.
 */
const crossed =
  (sysctl: "arp_filter" | "rp_filter"): Fault =>
  (scene) => {
    const isEnd = ({ one }: { one: Site }) =>
      sysctl === "rp_filter" || partOf(scene, one.namespace).sysctls["net.ipv4.ip_forward"] !== "1";
    const at = pick(crossroadsOf(scene).filter(isEnd), scene.fault.place);
    if (at === undefined) return null;
    const { one, other, elsewhere } = at;
    return [
      setSysctl(scene.state, one.namespace, `net.ipv4.conf.${sysctlPart(one.link)}.${sysctl}`, "1"),
      addRoute(one.namespace, { destination: `${other.address}/32`, via: null, link: elsewhere.link }),
    ];
  };

const sysctlPart = (link: string) => link.replaceAll(".", "/");

/** A machine asks a neighbour by an address that is on none of its networks, and to which the neighbour knows the way back. */
const otherSource =
  (isAnnounced: boolean): Fault =>
  (scene) => {
    const pairs = preferring(pairsOf(scene), ({ one }) => !isGuarded(scene, one));
    const at = pick(pairs, scene.fault.place);
    if (at === undefined) return null;
    const { one, other } = at;
    const { namespace, link } = one;
    return [
      addAddress(namespace, "lo", SECOND_ADDRESS, 32),
      addRoute(namespace, { destination: `${other.address}/32`, via: null, link, source: SECOND_ADDRESS }),
      addRoute(other.namespace, { destination: `${SECOND_ADDRESS}/32`, via: one.address, link: other.link }),
      ...(isAnnounced
        ? [
            setSysctl(scene.state, namespace, "net.ipv4.conf.all.arp_announce", "2"),
            // Answers only who asks from an address of the same subnet.
            setSysctl(scene.state, other.namespace, `net.ipv4.conf.${sysctlPart(other.link)}.arp_ignore`, "2"),
          ]
        : []),
    ];
  };

/** What somebody may do about frames, MACs and who answers for which address. */
export const LINK_FAULTS = {
  "link-down"(scene) {
    const vif = pick(vifsOf(scene), scene.fault.place);
    const { hostNamespace } = scene.plan;
    return vif === undefined ? null : [changeLink(hostNamespace, linkOf(scene, hostNamespace, vif.vif), { up: false })];
  },
  "small-mtu"(scene) {
    const vif = pick(vifsOf(scene), scene.fault.place);
    if (vif === undefined) return null;
    const [namespace, name] =
      scene.fault.other % 2 === 0 ? [scene.plan.hostNamespace, vif.vif] : [vif.namespace, vif.guest];
    return [changeLink(namespace, linkOf(scene, namespace, name), { mtu: 1300 })];
  },
  "isolated-ports"(scene) {
    const ports = bridgedPorts(scene);
    const first = pick(ports, scene.fault.place);
    if (first === undefined) return null;
    return ports
      .filter(({ master, isolated }) => master === first.master && isolated !== true)
      .map((port) => changeLink(scene.plan.hostNamespace, port, { isolated: true }));
  },
  "wrong-bridge"(scene) {
    const vif = pick(bridgedPorts(scene), scene.fault.place);
    const bridges = partOf(scene, scene.plan.hostNamespace).links.filter(
      ({ kind, name }) => kind === "bridge" && name !== vif?.master,
    );
    const bridge = pick(bridges, scene.fault.other);
    if (vif === undefined || bridge === undefined) return null;
    return [changeLink(scene.plan.hostNamespace, vif, { master: bridge.name })];
  },
  "spoofed-mac"(scene) {
    const vif = pick(vifsOf(scene), scene.fault.place);
    if (vif === undefined) return null;
    return [changeLink(vif.namespace, linkOf(scene, vif.namespace, vif.guest), { mac: "00:16:3e:5b:00:0f" })];
  },
  "poisoned-neighbour"(scene) {
    const at = pick(pairsOf(scene), scene.fault.place);
    if (at === undefined) return null;
    return [setNeighbour(at.one.namespace, at.one.link, at.other.address, NOBODYS_MAC)];
  },
  "duplicate-address"(scene) {
    const pairs = preferring(pairsOf(scene), ({ other }) => !isGuarded(scene, other));
    const at = pick(pairs, scene.fault.place);
    return at === undefined ? null : [addAddress(at.other.namespace, at.other.link, at.one.address, 32)];
  },
  "address-removed"(scene) {
    const at = pick(sitesOf(scene), scene.fault.place);
    if (at === undefined) return null;
    const address = partOf(scene, at.namespace).addresses.find(
      (one) => one.link === at.link && one.address === at.address,
    );
    return address === undefined ? null : [removeAddress(at.namespace, address)];
  },
  "own-source"(scene) {
    const vif = pick(vifsOf(scene), scene.fault.place);
    // The host takes a guest's address for its own.
    return vif === undefined ? null : [addAddress(scene.plan.hostNamespace, vif.vif, vif.address, 32)];
  },
  "no-proxy"(scene) {
    const proxies = partOf(scene, scene.plan.hostNamespace).neighbours.filter(({ proxy }) => proxy);
    const entry = pick(proxies, scene.fault.place);
    return entry === undefined ? null : [removeNeighbour(scene.plan.hostNamespace, entry)];
  },
  "proxies-all": ({ plan, state }) => [setSysctl(state, plan.hostNamespace, "net.ipv4.conf.all.proxy_arp", "1")],
  "arp-ignored"(scene) {
    const at = pick(crossroadsOf(scene), scene.fault.place);
    return at === undefined ? null : [setSysctl(scene.state, at.one.namespace, "net.ipv4.conf.all.arp_ignore", "1")];
  },
  "arp-filtered": crossed("arp_filter"),
  "strict-reverse-path": crossed("rp_filter"),
  "other-source": otherSource(false),
  "arp-announced": otherSource(true),
  /** It must be nobody's way: whom it has asked itself knows its MAC, so what else goes by it would depend on who asks first. */
  "deaf-to-requests"(scene) {
    const hosts = sitesOf(scene).filter(
      ({ namespace }) => partOf(scene, namespace).sysctls["net.ipv4.ip_forward"] !== "1",
    );
    const site = pick(hosts, scene.fault.place);
    if (site === undefined) return null;
    return [
      setTable(scene.state, site.namespace, FOREIGN.deafToRequests),
      setTable(scene.state, site.namespace, FOREIGN.onlyAnswers),
    ];
  },
} satisfies Record<string, Fault>;
