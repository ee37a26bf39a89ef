import { expect, test } from "vitest";
import type { LinkEntry } from "../host/netlink-entry.ts";
import type { Link, NamespaceState } from "../model/network-state.ts";
import { newNamespaceState } from "./new-namespace.ts";
import { toState } from "./read-namespace.ts";

const PEER = { namespace: "cloison.l.www", name: "eth0" };
const entry = (name: string, kind: string | null) =>
  ({ index: 1, name, kind, loopback: false, up: true, mtu: 1500, masterIndex: null, vlanId: null }) as LinkEntry;

function read(entries: LinkEntry[], like: NamespaceState): Pick<Link, "name" | "kind" | "peer">[] {
  const none = { addresses: [], routes: [], neighbours: [], rps: new Map<string, number[]>(), sysctls: {} };
  const { links } = toState({ links: entries, ...none }, { nameOf: String, like, peerOf: () => null });
  return links.map(({ name, kind, peer }) => ({ name, kind, peer }));
}

test("an interface of a driver is a domain's vif where the plan has one of that name", () => {
  const vif = { name: "vif1.0", kind: "vif", peer: PEER } as Link;
  const like = { ...newNamespaceState(), links: [vif] };
  expect(read([entry("vif1.0", null), entry("eth7", null)], like)).toEqual([
    { name: "vif1.0", kind: "vif", peer: PEER },
    { name: "eth7", kind: "other", peer: null },
  ]);
  expect(read([entry("vif1.0", "veth")], like)).toMatchObject([{ kind: "veth" }]);
});
