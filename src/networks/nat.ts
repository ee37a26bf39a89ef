import type { NetworkState } from "../model/network-state.ts";
import type { NftStatement } from "../model/nft.ts";
import type { NamespaceName } from "../model/plan.ts";
import { addressesOf, bridge, inNamespace, linkSysctl, quiet, type RpsCpus } from "./fragment.ts";
import { bridgeGuard } from "./guard.ts";
import { guestLinks, type Guest } from "./guest.ts";
import { mergeNetworkStates } from "./merge.ts";
import * as nft from "./nft.ts";
import { ROUTER_SYSCTLS } from "./routed.ts";

/** Part of a lab plan that one network in NAT mode is made from. */
export interface NatNetwork {
  /** In the lab file. */
  name: string;
  /** Position among the lab's NAT networks: names `natbr<index>`. */
  index: number;
  hostNamespace: NamespaceName;
  /** Private, canonical: `10.200.0.0/24`. */
  subnet: string;
  prefix: number;
  /** The host's address in it, the guests' gateway. */
  gateway: { address: string; mac: string };
  /** The host's address on the LAN that it leaves by, where its forwards are. */
  outside: string;
  /** The host's default route leaves by that LAN, so that what leaves has that address by itself. */
  leavesByDefault: boolean;
  forwards: { port: number; protocol: "tcp" | "udp"; to: { domain: string; address: string; port: number } }[];
  isolatedPorts: boolean;
  mtu: number;
  vifs: Guest[];
  rpsCpus: RpsCpus;
}

/**
 * NAT mode: guests live in a private subnet on the host's bridge `natbr<i>`. What leaves it has the host's address; nobody
 * reaches in, except through a forwarded port, which works from outside, from the host and from the guests themselves. Pure.
 */
export function natNetwork(network: NatNetwork): NetworkState {
  const { hostNamespace, gateway, prefix, mtu, vifs, rpsCpus, isolatedPorts } = network;
  const name = `natbr${network.index}`;
  return mergeNetworkStates([
    quiet(hostNamespace),
    bridge(hostNamespace, name, gateway.mac, mtu),
    inNamespace(hostNamespace, {
      addresses: addressesOf(name, { ...gateway, prefix }),
      sysctls: { ...ROUTER_SYSCTLS, [linkSysctl("ipv4.conf", name, "send_redirects")]: "0" },
      tables: translations(network, name),
    }),
    ...guestLinks(vifs, {
      hostNamespace,
      rpsCpus,
      mtu,
      master: name,
      isolated: isolatedPorts,
      prefix,
      gateway: gateway.address,
    }),
    bridgeGuard(hostNamespace, vifs),
  ]);
}

function translations(network: NatNetwork, bridgeName: string) {
  const { name, subnet, outside, forwards, leavesByDefault } = network;
  const within = (field: "saddr" | "daddr", op: "==" | "!=" = "==") =>
    nft.match(nft.payload("ip", field), op, nft.prefix(subnet));
  const isForwarded: NftStatement = nft.match(nft.ct("status"), "in", "dnat");
  const leaves = leavesByDefault ? nft.masquerade : { snat: { family: "ip", addr: outside } };

  const forwardRules = forwards.map(({ port, protocol, to }) =>
    nft.rule(
      `forward to ${to.domain}`,
      nft.match(nft.payload("ip", "daddr"), "==", outside),
      nft.match(nft.payload(protocol, "dport"), "==", port),
      { dnat: { family: "ip", addr: to.address, port: to.port } },
    ),
  );
  const dnat =
    forwardRules.length === 0
      ? []
      : [
          nft.chain("prerouting", "dstnat", forwardRules, { type: "nat" }),
          nft.chain("output", -100, forwardRules, { type: "nat" }),
        ];
  return nft.table("inet", "cloison-host", [
    nft.chain("forward", "filter", [
      nft.acceptEstablished,
      nft.rule(`forwards into ${name}`, nft.oif(bridgeName), isForwarded, nft.accept),
      nft.rule(`nobody reaches into ${name}`, nft.oif(bridgeName), nft.drop),
    ]),
    ...dnat,
    nft.chain(
      "postrouting",
      "srcnat",
      [
        nft.rule(`${name} leaves with the host's address`, nft.oif(bridgeName, "!="), within("saddr"), leaves),
        nft.rule(
          // Else the answer would go straight to the guest that asked, which knows nothing of that address.
          `forwards of ${name}, used by its own guests`,
          nft.oif(bridgeName),
          within("saddr"),
          isForwarded,
          nft.masquerade,
        ),
      ],
      { type: "nat" },
    ),
  ]);
}
