import { expect, test } from "vitest";
import { lines } from "./fixture.ts";
import { mergeNetworkStates } from "./merge.ts";
import { routerDomain } from "./router.ts";

test("a domain that routes forwards what it is told to, and answers", () => {
  const allowed = [
    { from: "eth0", to: "eth1", protocol: null, port: 5432 },
    { from: "eth1", to: "eth0", protocol: "udp" as const, port: null },
    { from: "eth1", to: "eth0", protocol: null, port: null },
  ];
  expect(lines(routerDomain("l.firewall", allowed, false))).toMatchInlineSnapshot(`
    [
      "firewall net.ipv4.ip_forward=1",
      "firewall net.ipv4.conf.all.rp_filter=0",
      "firewall net.ipv4.conf.default.rp_filter=0",
      "firewall inet cloison-router forward: filter forward 0 drop",
      "firewall inet cloison-router forward: state established,related accept",
      "firewall inet cloison-router forward: iifname eth0 oifname eth1 tcp dport 5432 accept",
      "firewall inet cloison-router forward: iifname eth1 oifname eth0 l4proto udp accept",
      "firewall inet cloison-router forward: iifname eth1 oifname eth0 accept",
    ]
  `);
  expect(routerDomain("l.firewall", null, true)["l.firewall"]?.tables).toEqual({});
});

test("parts of tables that disagree are refused by name", () => {
  const state = (policy: "accept" | "drop") => ({
    "l.a": {
      ...routerDomain("l.a", [], false)["l.a"]!,
      tables: {
        "inet cloison-router": {
          family: "inet" as const,
          name: "cloison-router",
          sets: [],
          chains: [
            {
              name: "forward",
              base: { type: "filter" as const, hook: "forward" as const, priority: 0, policy },
              rules: [],
            },
          ],
        },
      },
    },
  });
  expect(() => mergeNetworkStates([state("accept"), state("drop")])).toThrow(
    "l.a: table inet cloison-router: chain forward: ",
  );
});
