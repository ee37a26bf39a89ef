import type { NftStatement } from "../model/nft.ts";
import { match, rule, table, Wiring } from "./fixture.ts";

/** a and b, one wire. */
export const pair = (a: Parameters<Wiring["machine"]>[1] = {}, b: Parameters<Wiring["machine"]>[1] = {}) =>
  new Wiring()
    .machine("a", { addresses: ["eth0 10.0.0.1/24"], ...a })
    .machine("b", { addresses: ["eth0 10.0.0.2/24"], ...b })
    .wire("a/eth0", "b/eth0");

/** a and b at a bridge of their own machine. */
export const bridged = (sw: Parameters<Wiring["machine"]>[1] = {}) =>
  new Wiring()
    .machine("a", { addresses: ["eth0 10.0.0.1/24"] })
    .machine("b", { addresses: ["eth0 10.0.0.2/24"] })
    .machine("sw", sw)
    .wire("a/eth0", "sw/p1")
    .wire("b/eth0", "sw/p2")
    .bridge("sw/br0", ["p1", "p2"]);

/** a (10.0.0.1), router r (10.0.0.254, 10.1.0.254), b (10.1.0.2). */
export const routed = (
  r: Parameters<Wiring["machine"]>[1] = {},
  { aRoutes = ["default via 10.0.0.254 dev eth0"], bRoutes = ["default via 10.1.0.254 dev eth0"] } = {},
) =>
  new Wiring()
    .machine("a", { addresses: ["eth0 10.0.0.1/24"], routes: aRoutes })
    .machine("r", {
      addresses: ["eth0 10.0.0.254/24", "eth1 10.1.0.254/24"],
      sysctls: { "net.ipv4.ip_forward": "1" },
      ...r,
    })
    .machine("b", { addresses: ["eth0 10.1.0.2/24"], routes: bRoutes })
    .wire("a/eth0", "r/eth0")
    .wire("b/eth0", "r/eth1");

/** The router, by whose proxy entry a thinks that b is a neighbour. */
export const proxied = (r: Parameters<Wiring["machine"]>[1]) => routed(r, { aRoutes: ["10.1.0.0/24 dev eth0"] });

export const nat = (hook: "prerouting" | "output" | "postrouting", ...statements: NftStatement[]) =>
  table("ip", hook, [rule(...statements)], { name: hook, type: "nat", priority: hook === "postrouting" ? 100 : -100 });

export const masquerading = () =>
  routed(
    {
      sysctls: { "net.ipv4.ip_forward": "1" },
      tables: [nat("postrouting", match("oifname", "eth1"), { masquerade: null })],
    },
    { bRoutes: [] },
  );

export const access = (link: string, vlan: number, guard: { mac: string; addresses: string[] } | null = null) => ({
  link,
  vlan: { access: vlan },
  guard,
});

export function pairAt(name: string, join: (wiring: Wiring) => Wiring): Wiring {
  return join(
    new Wiring()
      .machine("a", { addresses: ["eth0 10.0.0.1/24"] })
      .machine("b", { addresses: ["eth0 10.0.0.2/24"] })
      .machine(name)
      .wire("a/eth0", `${name}/p1`)
      .wire("b/eth0", `${name}/p2`),
  );
}
