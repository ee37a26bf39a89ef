import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parseLab } from "../files/lab-file.ts";
import type { Recipe } from "../model/image.ts";
import type { Lab } from "../model/lab.ts";
import { planLab, type PlanInputs } from "./plan.ts";
import { placeRoles } from "./placement.ts";

const RECIPE: Recipe = {
  base: "minbase",
  packages: [],
  files: {},
  commands: [],
  services: { apache: { command: ["apache2"] } },
};
const INPUTS: PlanInputs = {
  platform: { name: "container", merges: false },
  cpus: [0, 1],
  recipeOf: () => RECIPE,
  uniteRecipes: () => RECIPE,
  siteFiles: (sites) => ({ "/sites": sites.map(({ name, workers }) => `${name}:${workers}`).join(" ") }),
};
const STUDY = parseLab("lab.yaml", readFileSync(new URL("../../examples/study/lab.yaml", import.meta.url), "utf8"));
const lab = (text: string): Lab => parseLab("lab.yaml", text);

test("ids, vifs, MACs and addresses are the study's, and the same each time", () => {
  const plan = planLab(STUDY, INPUTS);
  expect(plan.domains.map(({ id, name, vifs }) => [id, name, vifs[0]?.vif, vifs[0]?.guest, vifs[0]?.address])).toEqual([
    [1, "apache1", "vif1.0", "eth0", "10.23.0.11"],
    [2, "apache2", "vif2.0", "eth0", "10.23.0.12"],
    [3, "linux1", "vif3.0", "eth0", "10.23.0.13"],
    [4, "linux2", "vif4.0", "eth0", "10.23.0.14"],
  ]);
  const macs = plan.domains.flatMap(({ vifs }) => vifs.map(({ mac }) => mac));
  expect(new Set(macs).size).toBe(4);
  for (const mac of macs) expect(mac).toMatch(/^00:16:3e(:[0-9a-f]{2}){3}$/);
  expect(planLab(STUDY, INPUTS)).toEqual(plan);
});

test("a domain that is added last changes nothing of the others", () => {
  const before = planLab(STUDY, INPUTS);
  const more = planLab({ ...STUDY, domains: { ...STUDY.domains, linux3: STUDY.domains["linux2"]! } }, INPUTS);
  expect(more.domains.slice(0, 4)).toEqual(before.domains);
});

test("shared merges all domains: one context, the sum of the budgets, every site, the same cpuset", () => {
  const separate = planLab(STUDY, INPUTS);
  const shared = planLab(STUDY, { ...INPUTS, platform: { name: "shared", merges: true } });
  const sum = (read: (domain: (typeof separate.domains)[number]) => number | null) =>
    separate.domains.reduce((total, domain) => total + (read(domain) ?? 0), 0);
  expect(shared.domains).toHaveLength(1);
  expect(shared.domains[0]).toMatchObject({
    members: ["apache1", "apache2", "linux1", "linux2"],
    workers: sum(({ workers }) => workers),
    files: { "/sites": "apache1:24 apache2:24" },
    limits: {
      cpus: sum(({ limits }) => limits.cpus),
      memoryBytes: sum(({ limits }) => limits.memoryBytes),
      pids: sum(({ limits }) => limits.pids),
      diskBytes: sum(({ limits }) => limits.diskBytes),
      cpuset: separate.domains[0]?.limits.cpuset,
    },
  });
  expect(shared.targets["apache2"]).toEqual({ context: "shared", address: "10.23.0.11", port: 80, host: "apache2" });
  expect(shared.targets["linux1"]).toEqual({ context: "shared", address: "10.23.0.11", port: 80, host: "linux1" });
});

test("the network that is wanted names every namespace, and each vif has its guest end", () => {
  const { network, domains, hostNamespace } = planLab(STUDY, INPUTS);
  expect(Object.keys(network).sort()).toEqual(
    ["apache1", "apache2", "host", "lan", "linux1", "linux2", "outside", "station"].map(
      (part) => `cloison.study.${part}`,
    ),
  );
  for (const { namespace, vifs } of domains) {
    const vif = network[hostNamespace]?.links.find(({ name }) => name === vifs[0]?.vif);
    expect(vif).toMatchObject({ master: "xenbr0", peer: { namespace, name: "eth0" }, rpsCpus: [0] });
    expect(network[namespace]?.addresses).toContainEqual({ link: "eth0", address: vifs[0]?.address, prefix: 24 });
  }
});

test("fixed addresses are kept, and nobody else gets them", () => {
  const plan = planLab(
    lab(`name: demo
images: { plain: { recipe: plain } }
networks: { lan: { subnet: 10.9.0.0/24 } }
domains:
  a: { image: plain }
  b: { image: plain, nics: [{ network: lan, address: 10.9.0.11 }] }
  c: { image: plain, nics: [{ network: lan, address: 10.9.0.254 }] }
  d: { image: plain, nics: [{ network: lan, address: dhcp }] }
`),
    INPUTS,
  );
  expect(plan.domains.map(({ vifs }) => [vifs[0]?.address, vifs[0]?.configuration])).toEqual([
    ["10.9.0.12", "static"],
    ["10.9.0.11", "static"],
    ["10.9.0.254", "static"],
    ["10.9.0.14", "dhcp"],
  ]);
  expect(plan.machines.station.address).toBe("10.9.0.253");
  expect(plan.dhcp[0]?.leases).toHaveLength(4);
});

test("count makes numbered domains, each with a site of its own", () => {
  const plan = planLab(
    lab(`name: class
images: { web: { recipe: web } }
networks: { lan: { subnet: 10.9.0.0/24 } }
domains: { pc: { image: web, count: 20, sites: [{ name: www }] } }
`),
    INPUTS,
  );
  expect(plan.domains).toHaveLength(20);
  expect(plan.targets["pc20"]?.host).toBe("pc20");
});

test("more CPUs than the platform has are refused", () => {
  const greedy = lab(
    "name: g\nimages: { p: { recipe: plain } }\nnetworks: { lan: { subnet: 10.9.0.0/24 } }\ndomains: { a: { image: p, cpus: 2 } }\n",
  );
  expect(() => planLab(greedy, INPUTS)).toThrow("domains.a.cpus: 2 is more than the 1 CPU(s) that it may run on");
  expect(() => planLab(greedy, { ...INPUTS, cpus: [0, 1, 2, 3] })).not.toThrow();
});

test("roles are kept apart as far as there are CPUs", () => {
  expect(placeRoles([0, 1], 1)).toMatchObject({ platform: [0], station: [1], probe: [1] });
  expect(placeRoles([0, 1, 2], null)).toEqual({ platform: [0], station: [1], probe: [2], caveats: [] });
  expect(placeRoles([0, 1, 2, 3, 4, 5], null)).toEqual({
    platform: [0, 1, 2, 3],
    station: [4],
    probe: [5],
    caveats: [],
  });
  expect(placeRoles([0, 1, 2, 3], 1)).toEqual({ platform: [0], station: [2], probe: [3], caveats: [] });
  expect(placeRoles([0], null).caveats[0]).toContain("falsifies");
});

test("with an uplink the real LAN's router is the gateway, and the lab has neither an address of its own there nor DHCP", () => {
  const text = readFileSync(new URL("../../examples/study/lab.yaml", import.meta.url), "utf8");
  const { network = "" } = planLab(STUDY, INPUTS).domains[0]?.vifs[0] ?? {};
  const joined = { ...STUDY.networks[network]!, uplink: "eth1", gateway: "10.23.0.250" };
  const plan = planLab({ ...lab(text), networks: { [network]: joined } }, INPUTS);
  const state = plan.network[plan.lanNamespace];
  expect(plan.uplinks).toEqual([{ lan: 0, interface: "eth1" }]);
  expect(plan.dhcp).toEqual([]);
  expect(state?.addresses.filter(({ link }) => link === "lan0")).toEqual([]);
  expect(state?.joined).toEqual(["card0"]);
  expect(plan.domains.map(({ vifs }) => vifs[0]?.gateway)).toEqual(Array(4).fill("10.23.0.250"));
});
