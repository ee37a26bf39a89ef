import { expect, test } from "vitest";
import type { NamespaceState, NetworkState } from "../model/network-state.ts";
import { diffNetwork } from "./diff.ts";
import { withChange } from "./with-change.ts";

const empty: NamespaceState = { links: [], addresses: [], routes: [], neighbours: [], sysctls: {}, tables: {} };
const link = {
  name: "eth0",
  kind: "bridge",
  up: true,
  mtu: 1500,
  mac: null,
  master: null,
  peer: null,
  rpsCpus: [],
} as const;
const table = { family: "inet", name: "cloison-x", sets: [], chains: [] } as const;

/** One of everything, and the same with one of everything else. */
const wanted: NetworkState = {
  host: {
    ...empty,
    links: [{ ...link, rpsCpus: [] }],
    addresses: [{ link: "eth0", address: "10.0.0.1", prefix: 24 }],
    routes: [{ destination: "default", via: "10.0.0.2", link: "eth0" }],
    neighbours: [{ link: "eth0", address: "10.0.0.9", mac: null, proxy: true }],
    sysctls: { "net.ipv4.ip_forward": "1" },
    tables: { "inet cloison-x": { ...table, sets: [], chains: [] } },
    switches: [{ name: "ovsbr0", ports: [{ link: "eth0", vlan: { access: 2 }, guard: null }] }],
  },
};
const observed: NetworkState = {
  host: {
    ...empty,
    links: [{ ...link, up: false, rpsCpus: [] }],
    addresses: [{ link: "eth0", address: "10.0.0.7", prefix: 24 }],
    routes: [{ destination: "default", via: "10.0.0.3", link: "eth0" }],
    neighbours: [{ link: "eth0", address: "10.0.0.8", mac: null, proxy: true }],
    sysctls: { "net.ipv4.ip_forward": "0" },
    tables: { "inet cloison-y": { ...table, name: "cloison-y", sets: [], chains: [] } },
    switches: [{ name: "ovsbr0", ports: [{ link: "eth0", vlan: { access: 3 }, guard: null }] }],
  },
};

test("all changes together lead to what is wanted, each of them one difference nearer", () => {
  const changes = diffNetwork(wanted, observed);
  expect(new Set(changes.map(({ object }) => object)).size).toBe(7);
  let state = observed;
  let left = changes.length;
  for (const change of changes) {
    state = withChange(state, change);
    expect(diffNetwork(wanted, state)).toHaveLength(--left);
  }
  expect(left).toBe(0);
  expect(observed["host"]?.sysctls["net.ipv4.ip_forward"]).toBe("0");
});

test("a namespace that was not observed begins as the kernel makes one", () => {
  const [change] = diffNetwork(wanted, {}).filter(({ object }) => object === "sysctl");
  if (change === undefined) throw new Error("a sysctl is missing, and diff does not say so");
  expect(withChange({}, change)["host"]?.links.map(({ name }) => name)).toEqual(["lo"]);
});

test("forwarding is handed on to every interface, as the kernel does", () => {
  const sysctls = {
    "net.ipv4.ip_forward": "0",
    "net.ipv4.conf.eth0.forwarding": "0",
    "net.ipv4.conf.eth0.rp_filter": "0",
  };
  const before = { host: { ...empty, sysctls } };
  const [change] = diffNetwork({ host: { ...empty, sysctls: { "net.ipv4.ip_forward": "1" } } }, before).filter(
    ({ object }) => object === "sysctl",
  );
  if (change === undefined) throw new Error("a sysctl differs, and diff does not say so");
  expect(withChange(before, change)["host"]?.sysctls).toEqual({
    "net.ipv4.ip_forward": "1",
    "net.ipv4.conf.eth0.forwarding": "1",
    "net.ipv4.conf.eth0.rp_filter": "0",
  });
});
