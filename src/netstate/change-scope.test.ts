import { expect, test } from "vitest";
import type { Link, NamespaceState, NetworkState } from "../model/network-state.ts";
import { changeScope, withinScope, type Scope } from "./change-scope.ts";
import { diffNetwork } from "./diff.ts";
import { newNamespaceState } from "./new-namespace.ts";

function link(name: string, fields: Partial<Link> = {}): Link {
  return { name, kind: "veth", up: true, mtu: 1500, mac: null, master: null, peer: null, rpsCpus: [], ...fields };
}

const BEFORE: NamespaceState = {
  ...newNamespaceState(),
  links: [link("eth0"), link("eth1")],
  addresses: [
    { link: "eth0", address: "10.0.0.2", prefix: 24 },
    { link: "eth1", address: "10.1.0.2", prefix: 24 },
  ],
  routes: [
    { destination: "default", via: "10.0.0.1", link: "eth0" },
    { destination: "10.9.0.0/16", via: "10.1.0.1", link: "eth1", source: "10.0.0.2" },
  ],
  neighbours: [
    { link: "eth0", address: "10.0.0.7", mac: null, proxy: true },
    { link: "eth1", address: "10.1.0.7", mac: null, proxy: true },
  ],
  sysctls: { "net.ipv4.ip_forward": "1", "net.ipv4.conf.eth0.rp_filter": "1" },
};

/** What has to be read when the namespace changes so; `null`: everything. */
function scope(change: (state: NamespaceState) => void) {
  const after: NetworkState = { a: structuredClone(BEFORE) };
  if (after["a"] !== undefined) change(after["a"]);
  const scopes = changeScope(diffNetwork(after, { a: BEFORE }), { a: BEFORE }, after);
  const one = scopes?.get("a");
  if (one === undefined) return scopes;
  return { links: [...one.links], neighbours: [...one.neighbours.keys()], sysctls: [...one.sysctls] };
}

test("a changed link is read with all that goes when it goes down", () => {
  expect(scope((state) => (state.links = [link("eth0", { mtu: 1400 }), link("eth1")]))).toEqual({
    links: ["eth0"],
    neighbours: ["eth0 10.0.0.7 true"],
    sysctls: ["net.ipv4.conf.eth0.rp_filter"],
  });
});

test("with an address routes are read that prefer it as their source", () => {
  const change = (state: NamespaceState) =>
    (state.addresses = state.addresses.map((one) => (one.link === "eth0" ? { ...one, address: "10.0.0.3" } : one)));
  expect(scope(change)).toEqual({ links: ["eth0", "eth1"], neighbours: [], sysctls: [] });
});

test("entries and sysctls are read by themselves, tables not at all", () => {
  const change = (state: NamespaceState) => {
    state.neighbours = state.neighbours.slice(0, 1);
    state.sysctls["net.ipv4.ip_forward"] = "0";
  };
  expect(scope(change)).toEqual({
    links: [],
    neighbours: ["eth1 10.1.0.7 true"],
    sysctls: ["net.ipv4.ip_forward"],
  });
  const table = { family: "inet", name: "cloison-x", sets: [], chains: [] } as const;
  expect(scope((state) => (state.tables = { "inet cloison-x": { ...table, sets: [], chains: [] } }))).toEqual(
    new Map(),
  );
});

test("switches, and routes without a link, cannot be read by themselves", () => {
  expect(scope((state) => (state.switches = [{ name: "ovs0", ports: [] }]))).toBeNull();
  expect(scope((state) => state.routes.push({ destination: "10.8.0.0/16", via: "10.0.0.1", link: null }))).toBeNull();
});

test("of a state only what lies within the scope is compared", () => {
  const one: Scope = { links: new Set(["eth0"]), neighbours: new Map(), sysctls: new Set(["net.ipv4.ip_forward"]) };
  expect(withinScope(BEFORE, one)).toEqual({
    links: [link("eth0")],
    addresses: [{ link: "eth0", address: "10.0.0.2", prefix: 24 }],
    routes: [{ destination: "default", via: "10.0.0.1", link: "eth0" }],
    neighbours: [],
    sysctls: { "net.ipv4.ip_forward": "1" },
    tables: {},
  });
});
