import { describe, expect, test } from "vitest";
import { parseLab } from "../files/lab-file.ts";
import type { Recipe } from "../model/image.ts";
import type { LabPart } from "../model/plan.ts";
import { planLab, type PlanInputs } from "./plan.ts";

const RECIPE: Recipe = { base: "minbase", packages: [], files: {}, commands: [], services: {} };
const INPUTS: PlanInputs = {
  platform: { name: "qemu", merges: false, needsImages: true, ownKernels: true },
  cpus: [0, 1],
  recipeOf: () => RECIPE,
  uniteRecipes: () => RECIPE,
  siteFiles: () => ({}),
};
const LAB = parseLab(
  "lab.yaml",
  `
name: t
images: { p: { recipe: plain } }
networks:
  lan: { subnet: 10.80.0.0/24, uplink: trunk, gateway: 10.80.0.254 }
  inner: { mode: nat, subnet: 10.81.0.0/24 }
domains:
  one: { image: p }
  two: { image: p }
  three: { image: p, nics: [{ network: inner }] }
`,
);
const planned = (part?: LabPart) => planLab(LAB, { ...INPUTS, part });
const whole = planned();
const main = planned({ domains: ["one", "three"], isMain: true });
const other = planned({ domains: ["two"], isMain: false });
const HOST = "cloison.t.host";
const linksIn = (plan: typeof whole, namespace: string) =>
  plan.network[namespace]?.links.map(({ name }) => name).sort();

describe("a lab on two hosts", () => {
  test("a domain is the same at either, and is at one only", () => {
    expect(other.domains).toEqual([whole.domains[1]]);
    expect(main.domains).toEqual([whole.domains[0], whole.domains[2]]);
    expect(other.network["cloison.t.two"]).toEqual(whole.network["cloison.t.two"]);
    expect(main.network).not.toHaveProperty(["cloison.t.two"]);
    expect(linksIn(main, HOST)).toEqual(linksIn(whole, HOST)?.filter((name) => name !== "vif2.0"));
  });

  test("the main host keeps the company, and all know where everybody is", () => {
    expect(main.machines).toEqual(whole.machines);
    expect(main.dhcp).toEqual(whole.dhcp);
    expect(main.targets).toEqual(whole.targets);
    expect(main.endpoints.map(({ name }) => name)).not.toContain("two");
  });

  test("the other host has the network of its domain, and nobody else on it", () => {
    expect(Object.keys(other.network).sort()).toEqual([HOST, "cloison.t.lan", "cloison.t.two"]);
    expect(linksIn(other, HOST)).toEqual(["eth0", "lo", "vif2.0", "xenbr0"]);
    expect(linksIn(other, "cloison.t.lan")).toEqual(["lan0", "lo", "uplink0"]);
    for (const namespace of [HOST, "cloison.t.lan"]) expect(other.network[namespace]?.addresses).toEqual([]);
    expect(other.dhcp).toEqual([]);
    expect(other.uplinks).toEqual([{ lan: 0, interface: "trunk" }]);
    expect(other.endpoints.map(({ name }) => name)).toEqual(expect.arrayContaining(["two"]));
  });

  test("no MAC of the main host is there a second time", () => {
    const macs = (plan: typeof whole) =>
      [HOST, "cloison.t.lan"].flatMap((namespace) =>
        (plan.network[namespace]?.links ?? []).flatMap(({ kind, mac }) => (kind === "bridge" ? [mac] : [])),
      );
    expect(macs(other)).toHaveLength(2);
    for (const mac of macs(other)) expect(macs(whole)).not.toContain(mac);
  });

  test("both keep senders to their own addresses", () => {
    const guards = (plan: typeof whole) => JSON.stringify(plan.network[HOST]?.tables["bridge cloison-guard"]);
    expect(guards(other)).toContain("vif2.0");
    expect(guards(other)).not.toContain("vif1.0");
    expect(guards(main)).not.toContain("vif2.0");
  });
});
