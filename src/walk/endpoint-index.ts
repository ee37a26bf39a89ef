import type { Endpoint } from "../model/reachability.ts";
import type { CompiledNamespace, CompiledNetwork } from "./compiled-network.ts";

interface EndpointIndex {
  byName: Map<string, Endpoint>;
  byNamespace: Map<string, string>;
}
const indexes = new WeakMap<readonly Endpoint[], EndpointIndex>();

/** Made once for each list. */
export function indexOf(endpoints: readonly Endpoint[]): EndpointIndex {
  let index = indexes.get(endpoints);
  if (index === undefined) {
    index = { byName: new Map(), byNamespace: new Map() };
    for (const endpoint of endpoints) {
      index.byName.set(endpoint.name, endpoint);
      if (!index.byNamespace.has(endpoint.namespace)) index.byNamespace.set(endpoint.namespace, endpoint.name);
    }
    indexes.set(endpoints, index);
  }
  return index;
}

/** Throws Error when there is none of this name. */
export function namespaceOf(network: CompiledNetwork, endpoints: readonly Endpoint[], name: string): CompiledNamespace {
  const endpoint = indexOf(endpoints).byName.get(name);
  const namespace = endpoint === undefined ? undefined : network.namespaces.get(endpoint.namespace);
  if (namespace === undefined) throw new Error(`${name} is no endpoint of the network`);
  return namespace;
}

/** Name of the endpoint that lives in the namespace; null: none does. */
export function endpointIn(endpoints: readonly Endpoint[], { name }: CompiledNamespace): string | null {
  return indexOf(endpoints).byNamespace.get(name) ?? null;
}
