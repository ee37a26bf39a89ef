import type { NamespaceState } from "../model/network-state.ts";

/** A network namespace as the kernel makes it: a loopback that is down, and nothing else that a plan speaks of. */
export function newNamespaceState(): NamespaceState {
  return {
    links: [{ name: "lo", kind: "loopback", up: false, mtu: 65536, mac: null, master: null, peer: null, rpsCpus: [] }],
    addresses: [],
    routes: [],
    neighbours: [],
    sysctls: {},
    tables: {},
  };
}
