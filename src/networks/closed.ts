import type { NetworkState } from "../model/network-state.ts";
import type { NamespaceName } from "../model/plan.ts";
import { inNamespace, linkSysctl } from "./fragment.ts";
import { BEFORE_FILTER, chain, drop, match, meta, rule, set, table } from "./nft.ts";

/**
 * Interfaces that are not for the machine that they are on: it has no address there, and switches what enters. Linux would
 * still answer for its other addresses, as any address is the whole machine's to it, and would route what is sent to its MAC. So nothing that enters there reaches it.
 */
export function closed(namespace: NamespaceName, links: readonly string[]): NetworkState {
  const enters = match(meta("iifname"), "==", "@closed");
  const rules = [rule("no address of this machine is reached here", enters, drop)];
  const routes = chain("forward", BEFORE_FILTER, [rule("this machine is no way out here", enters, drop)], {
    name: "isolation",
  });
  const sets = [set("closed", "ifname", [...links])];
  return inNamespace(namespace, {
    tables: {
      ...table("inet", "cloison-host", [chain("input", "filter", rules), routes], sets),
      ...table("arp", "cloison-host", [chain("input", "filter", rules)], sets),
    },
  });
}

/** A bridge of this kind: of itself it would have a link-local address as soon as the namespace speaks IPv6. */
export function closedBridge(namespace: NamespaceName, name: string): NetworkState {
  const { [namespace]: state } = closed(namespace, [name]);
  return inNamespace(namespace, { ...state, sysctls: { [linkSysctl("ipv6.conf", name, "disable_ipv6")]: "1" } });
}
