import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parseLab } from "../files/lab-file.ts";
import type { Recipe } from "../model/image.ts";
import type { Lab } from "../model/lab.ts";
import { planLab, type PlanInputs } from "./plan.ts";

const RECIPE: Recipe = { base: "minbase", packages: [], files: {}, commands: [], services: {} };
const INPUTS: PlanInputs = {
  platform: { name: "namespace", merges: false },
  cpus: [0, 1],
  recipeOf: () => RECIPE,
  uniteRecipes: () => RECIPE,
  siteFiles: () => ({}),
};
const example = (name: string): Lab =>
  parseLab(name, readFileSync(new URL(`../../examples/networks/${name}.yaml`, import.meta.url), "utf8"));
const lab = (text: string): Lab => parseLab("lab.yaml", `name: t\nimages: { p: { recipe: plain } }\n${text}`);

describe("a lab of every mode", () => {
  const plan = planLab(example("mixed"), INPUTS);

  test("names its networks with their LANs, VLANs and bridges", () => {
    expect(
      plan.networks.map(({ name, mode, lan, vlan, bridge, subnet }) => [name, mode, lan, vlan, bridge, subnet]),
    ).toEqual([
      ["office", "bridge", 0, null, "xenbr0", "10.23.0.0/24"],
      ["hosted", "routed", 0, null, null, "10.23.0.0/24"],
      ["private", "nat", 0, null, "natbr0", "10.200.0.0/24"],
      ["vault", "isolated", null, null, "isobr0", "10.202.0.0/24"],
      ["voice", "vlan", null, { id: 5, backend: "kernel" }, "vlanbr5", "10.5.0.0/24"],
    ]);
  });

  test("has an endpoint for everybody, with the addresses that the network has, and what each offers", () => {
    const { endpoints } = plan;
    expect(
      endpoints.map(({ name, kind, interfaces }) => [
        name,
        kind,
        ...interfaces.map(({ link, network, addresses }) => `${link} ${network} ${addresses}`),
      ]),
    ).toEqual([
      ["desk", "domain", "eth0 office 10.23.0.11"],
      ["site", "domain", "eth0 hosted 10.23.0.12"],
      ["shop", "domain", "eth0 private 10.200.0.13", "eth1 vault 10.202.0.13"],
      ["ledger", "domain", "eth0 vault 10.202.0.14"],
      ["phone", "domain", "eth0 voice 10.5.0.15"],
      ["host", "host", "xenbr0 office 10.23.0.252", "natbr0 private 10.200.0.1", "isobr0 vault 10.202.0.1"],
      ["lan", "router", "lan0 office 10.23.0.1"],
      ["station", "machine", "eth0 office 10.23.0.254"],
      ["outside", "machine", "eth0 office 10.23.0.253"],
      ["outside-voice", "machine", "eth0 voice 10.5.0.254"],
    ]);
    const services = Object.fromEntries(endpoints.map(({ name, services: offered }) => [name, offered]));
    expect(services["host"]).toEqual([{ protocol: "tcp", port: 8080, forwardedTo: { domain: "shop", port: 80 } }]);
    expect(services["phone"]).toEqual([{ protocol: "udp", port: 5060 }]);
    expect(services["outside-voice"]).toEqual([{ protocol: "tcp", port: 80 }]);
    for (const { namespace } of endpoints) expect(plan.network).toHaveProperty([namespace]);
  });

  test("clients find a domain behind NAT at the host's address and the forwarded port", () => {
    expect(plan.targets["shop"]).toMatchObject({ address: "10.23.0.252", port: 8080 });
    expect(plan.targets["site"]).toMatchObject({ address: "10.23.0.12", port: 80 });
  });

  test("NAT has DHCP and names on the host, a bridge network DHCP on the LAN, a routed one none", () => {
    expect(plan.dhcp.map(({ namespace, interface: link, router }) => [namespace, link, router])).toEqual([
      ["cloison.net-mixed.lan", "lan0", "10.23.0.1"],
      ["cloison.net-mixed.host", "natbr0", "10.200.0.1"],
    ]);
    expect(plan.dhcp[1]?.dns).toEqual([
      { name: "desk", address: "10.23.0.11" },
      { name: "site", address: "10.23.0.12" },
      { name: "shop", address: "10.200.0.13" },
    ]);
    expect(plan.dhcp[0]?.leases.map(({ hostname }) => hostname)).toEqual(["desk"]);
  });
});

test("the DMZ: VLANs share a trunk after the LANs' cards, on either backend; the firewall routes unguarded", () => {
  const kernel = planLab(example("vlan-dmz"), INPUTS);
  const names = (plan: typeof kernel) => plan.network[plan.hostNamespace]?.links.map(({ name }) => name);
  expect(names(kernel)).toEqual(
    expect.arrayContaining(["eth0", "eth1", "eth1.2", "eth1.3", "vlanbr2", "vlanbr3", "vif1.0", "vif1.1"]),
  );
  const guards = kernel.network[kernel.hostNamespace]?.tables["bridge cloison-guard"]?.sets[0]?.elements;
  expect(guards).toEqual([{ elem: { val: "vif2.0", comment: "web" } }, { elem: { val: "vif3.0", comment: "db" } }]);
  expect(kernel.network["cloison.net-vlan-dmz.web"]?.routes).toEqual([
    { destination: "10.3.0.0/24", via: "10.2.0.1", link: "eth0" },
  ]);
  expect(kernel.network["cloison.net-vlan-dmz.firewall"]?.tables).toHaveProperty(["inet cloison-router"]);

  const switched = planLab(example("vlan-dmz"), { ...INPUTS, vlanBackend: "openvswitch" });
  expect(switched.network[switched.hostNamespace]?.switches?.[0]?.ports.map(({ link, vlan }) => [link, vlan])).toEqual([
    ["eth1", { trunk: [2, 3] }],
    ["vif1.0", { access: 2 }],
    ["vif2.0", { access: 2 }],
    ["vif1.1", { access: 3 }],
    ["vif3.0", { access: 3 }],
  ]);
  expect(switched.networks[0]?.vlan).toEqual({ id: 2, backend: "openvswitch" });
});

test("a backend that the lab names is used, whatever works here", () => {
  const plan = planLab(
    lab(
      "networks: { v: { mode: vlan, id: 2, backend: kernel, subnet: 10.9.0.0/24 } }\ndomains: { a: { image: p, nics: [{ network: v, address: dhcp }] } }",
    ),
    { ...INPUTS, vlanBackend: "openvswitch" },
  );
  expect(plan.networks[0]?.vlan?.backend).toBe("kernel");
  // DHCP comes from the VLAN's outside machine, and leads nowhere else.
  expect(plan.dhcp).toMatchObject([{ namespace: "cloison.t.outside-v", interface: "eth0", router: null, dns: null }]);
});

test("a domain's default route goes through its first interface that has a gateway, unless it has its own", () => {
  const text = (routes: string) =>
    lab(`networks:
  i: { mode: isolated, subnet: 10.7.0.0/24 }
  n: { mode: nat, subnet: 10.8.0.0/24 }
  b: { subnet: 10.9.0.0/24 }
domains: { a: { image: p, nics: [{ network: i }, { network: n }, { network: b }]${routes} } }`);
  const routesOf = (one: Lab) => planLab(one, INPUTS).network["cloison.t.a"]?.routes;
  expect(routesOf(text(""))).toEqual([{ destination: "default", via: "10.8.0.1", link: "eth1" }]);
  expect(routesOf(text(", routes: [{ to: 0.0.0.0/0, via: 10.9.0.7 }]"))).toEqual([
    { destination: "default", via: "10.9.0.7", link: "eth2" },
  ]);
});

test("a lab without bridge and routed networks is given a LAN, in a subnet that is free", () => {
  const text = "networks: { n: { mode: nat, subnet: 10.23.0.0/16 } }\ndomains: { a: { image: p } }";
  const free = planLab(lab(text), INPUTS);
  expect(free.machines.station.address).toBe("10.24.0.254");
  expect(free.network[free.hostNamespace]?.addresses).toContainEqual({
    link: "eth0",
    address: "10.24.0.252",
    prefix: 24,
  });
  expect(planLab(lab(`lan: { subnet: 10.1.0.0/24 }\n${text}`), INPUTS).machines.station.address).toBe("10.1.0.254");
});

test("what leaves by another LAN than the host's default has that LAN's address", () => {
  const plan = planLab(
    lab(`networks:
  a: { subnet: 10.1.0.0/24 }
  b: { subnet: 10.2.0.0/24 }
  n: { mode: nat, lan: b, subnet: 10.3.0.0/24, forward: [{ port: 80, to: "d:80" }] }
domains: { d: { image: p, listen: [80/tcp], nics: [{ network: n }] } }`),
    INPUTS,
  );
  expect(JSON.stringify(plan.network[plan.hostNamespace]?.tables)).toContain(
    '"snat":{"family":"ip","addr":"10.2.0.254"}',
  );
  expect(plan.targets["d"]).toMatchObject({ address: "10.2.0.254", port: 80 });
});

test("IPv6 is at the same place of its subnet as IPv4; a leased interface has none", () => {
  const { domains, network } = planLab(example("bridge"), INPUTS);
  expect(domains.map(({ vifs }) => vifs[0]?.address6)).toEqual(["fd00:23::b", null, "fd00:23::d"]);
  expect(network["cloison.net-bridge.mail"]?.sysctls["net.ipv6.conf.all.disable_ipv6"]).toBe("1");
});

test("files of NAT guests name the host as resolver, where domains have files of their own", () => {
  const files = (needsImages: boolean) =>
    planLab(example("nat"), { ...INPUTS, platform: { ...INPUTS.platform, needsImages } }).domains[0]?.files;
  expect(files(true)).toEqual({ "/etc/resolv.conf": "nameserver 10.200.0.1\n" });
  expect(files(false)).toEqual({});
});

test("a lab that may overflow the machine's neighbour table warns", () => {
  const warnings = (neighbourLimit: number | null) =>
    planLab(example("class-of-20"), { ...INPUTS, neighbourLimit }).warnings;
  expect(warnings(1024)).toEqual([]);
  expect(warnings(null)).toEqual([]);
  expect(warnings(379)).toEqual([expect.stringContaining("needs 380 entries and holds 379")]);
});

test("real interfaces that are to join stand in the plan", () => {
  const plan = planLab(
    lab(
      "networks: { a: { subnet: 10.1.0.0/24 }, b: { subnet: 10.2.0.0/24, uplink: eth9, gateway: 10.2.0.9 } }\ndomains: { d: { image: p, nics: [{ network: b }] } }",
    ),
    INPUTS,
  );
  expect(plan.uplinks).toEqual([{ lan: 1, interface: "eth9" }]);
  expect(plan.domains[0]?.vifs[0]?.gateway).toBe("10.2.0.9");
});

test("a lab says that what is measured over Open vSwitch is bound by it", () => {
  const caveats = (name: string, vlanBackend: "kernel" | "openvswitch") =>
    planLab(example(name), { ...INPUTS, cpus: [0, 1, 2, 3], vlanBackend }).placement.caveats;
  expect(caveats("vlan-dmz", "openvswitch")).toEqual([expect.stringMatching(/^backend-bound: /)]);
  expect(caveats("vlan-dmz", "kernel")).toEqual([]);
  expect(caveats("nat", "openvswitch")).toEqual([]);
});
