import type { NamespaceState, NetworkState, Route } from "../../model/network-state.ts";
import { isIpv4, maskText, networkRange } from "./ipv4.ts";

/** The IPv4 routing tables as `route -n` lists them, with the connected routes that the kernel adds for each address. */
export function routesText(state: NetworkState): string {
  return Object.entries(state)
    .map(([namespace, one]) => `${namespace}\n\n${routingTable(one)}`)
    .join("\n\n");
}

interface Line {
  destination: string;
  prefix: number;
  gateway: string | null;
  link: string;
}

function routingTable(state: NamespaceState): string {
  const lines: Line[] = [...connected(state), ...state.routes.flatMap(lineOf)];
  // As the kernel lists them for route(8): the longest prefixes first.
  lines.sort((a, b) => b.prefix - a.prefix || (a.destination < b.destination ? -1 : 1));
  const cells = [
    ["Destination", "Gateway", "Genmask", "Flags Metric Ref    Use Iface"],
    ...lines.map(({ destination, prefix, gateway, link }) => [
      destination,
      gateway ?? "0.0.0.0",
      maskText(prefix),
      `${flagsOf(prefix, gateway).padEnd(5)} 0      0        0 ${link}`,
    ]),
  ];
  const text = cells.map(
    ([a = "", b = "", c = "", rest = ""]) => `${[a, b, c].map((cell) => cell.padEnd(15)).join(" ")} ${rest}`,
  );
  return ["Kernel IP routing table", ...text].join("\n");
}

/** U: up; H: to a host; G: through a gateway (route(8)). */
function flagsOf(prefix: number, gateway: string | null): string {
  return `U${gateway === null ? "" : "G"}${prefix === 32 ? "H" : ""}`;
}

function connected(state: NamespaceState): Line[] {
  return state.addresses
    .filter(({ address, prefix }) => isIpv4(address) && prefix < 32)
    .map(({ address, prefix, link }) => ({
      destination: networkRange(address, prefix).network,
      prefix,
      gateway: null,
      link,
    }));
}

function lineOf({ destination, via, link }: Route): Line[] {
  if (destination.includes(":")) return [];
  const [network = "", prefix = "32"] = destination === "default" ? ["0.0.0.0", "0"] : destination.split("/");
  return [{ destination: network, prefix: Number(prefix), gateway: via, link: link ?? "*" }];
}
