import { expect, test } from "vitest";
import type { NetworkState } from "../model/network-state.ts";
import { changedNamespaces } from "./changed-namespaces.ts";
import { newNamespaceState } from "./new-namespace.ts";

test("namespaces that differ or are new, and no others", () => {
  const before: NetworkState = { a: newNamespaceState(), b: newNamespaceState(), gone: newNamespaceState() };
  const after: NetworkState = {
    a: newNamespaceState(),
    b: { ...newNamespaceState(), sysctls: { "net.ipv4.ip_forward": "1" } },
    c: newNamespaceState(),
  };
  expect(changedNamespaces(before, after)).toEqual(["b", "c"]);
  expect(changedNamespaces(after, structuredClone(after))).toEqual([]);
});
