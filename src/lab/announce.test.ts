import { expect, test } from "vitest";
import { createFakeHost } from "../host/fake.ts";
import type { NetworkPlan } from "../model/plan.ts";
import { announce } from "./announce.ts";
import { domainPlan, labPlan } from "./fixture.ts";

test("a domain says where it is on networks that reach a real wire, and nowhere else", async () => {
  const host = createFakeHost();
  const domain = domainPlan("one", 1);
  const [vif] = domain.vifs;
  if (vif === undefined) throw new Error("it has no interface");
  domain.vifs = ["wired", "inner", "apart"].map((network, i) => ({ ...vif, network, guest: `eth${i}` }));
  const network = (name: string, mode: NetworkPlan["mode"], lan: number | null) =>
    ({ name, mode, lan, vlan: null, bridge: null, subnet: "10.9.0.0/24", subnet6: null }) satisfies NetworkPlan;
  const plan = labPlan([domain], {
    uplinks: [{ lan: 0, interface: "enp1s0" }],
    networks: [network("wired", "bridge", 0), network("inner", "bridge", 1), network("apart", "isolated", null)],
  });
  await announce(host, plan, plan.domains);
  const [run, ...others] = host.records.filter((line) => line.includes("arp_notify"));
  expect(run).toMatch(new RegExp(`announce eth0 ${vif.mac}$`, "m"));
  expect(run).not.toMatch(/eth1|eth2/);
  expect(others).toEqual([]);
});
