import type { NetworkState } from "../model/network-state.ts";
import type { NamespaceName } from "../model/plan.ts";
import { inNamespace, NO_REVERSE_PATH_FILTER } from "./fragment.ts";
import * as nft from "./nft.ts";

/** A connection that a domain that routes lets through, with its answers. */
export interface Allowed {
  /** Interfaces of the domain. */
  from: string;
  to: string;
  protocol: "tcp" | "udp" | null;
  port: number | null;
}

/**
 * A domain that forwards between its networks.
 * @param allowed null: everything
 */
export function routerDomain(namespace: NamespaceName, allowed: Allowed[] | null, hasIpv6: boolean): NetworkState {
  return inNamespace(namespace, {
    sysctls: {
      "net.ipv4.ip_forward": "1",
      ...NO_REVERSE_PATH_FILTER,
      ...(hasIpv6 ? { "net.ipv6.conf.all.forwarding": "1" } : {}),
    },
    tables: allowed === null ? {} : filter(allowed),
  });
}

function filter(allowed: Allowed[]) {
  const rules = allowed.map(({ from, to, protocol, port }) =>
    nft.rule(
      undefined,
      nft.iif(from),
      nft.oif(to),
      ...(port !== null
        ? [nft.match(nft.payload(protocol ?? "tcp", "dport"), "==", port)]
        : protocol !== null
          ? [nft.match(nft.meta("l4proto"), "==", protocol)]
          : []),
      nft.accept,
    ),
  );
  return nft.table("inet", "cloison-router", [
    nft.chain("forward", "filter", [nft.acceptEstablished, ...rules], { policy: "drop" }),
  ]);
}
