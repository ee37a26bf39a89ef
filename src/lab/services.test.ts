import { expect, test } from "vitest";
import type { LabPlan } from "../model/plan.ts";
import type { LabContext } from "./context.ts";
import { createFixture, labPlan } from "./fixture.ts";
import { dhcpServers, dnsmasqConfiguration, startDhcpServers, startOutsideWeb } from "./services.ts";

const PLAN = labPlan();

test("dnsmasq gives each machine its planned address, and nobody else any", () => {
  const [server] = PLAN.dhcp;
  if (server === undefined) throw new Error("the plan has no DHCP server");
  expect(dnsmasqConfiguration({ ...server, prefix: 22 }, "/state/labs/demo/lan/lan0")).toBe(`port=0
interface=lan0
bind-interfaces
no-resolv
no-hosts
no-ping
user=root
dhcp-authoritative
pid-file=/state/labs/demo/lan/lan0.pid
dhcp-leasefile=/state/labs/demo/lan/lan0.leases
dhcp-range=10.9.0.1,static,255.255.252.0,12h
dhcp-option=option:router,10.9.0.1
dhcp-host=00:16:3e:00:00:01,10.9.0.11,one
dhcp-host=00:16:3e:00:00:02,10.9.0.12,two
`);
});

const started = (records: string[]) =>
  records
    .filter((line) => /^(start|destroy cgroup|web server)/.test(line))
    .map((line) => line.replaceAll(/\[.*?\] /g, ""));
const DNSMASQ = "start detached dnsmasq --keep-in-foreground --conf-file=/state/labs/demo/lan/lan0.conf";
const WEB = ["web server 0.0.0.0 in cloison/demo/lan/outside-web", "start detached web-server"];

async function startLanServices(context: LabContext, plan: LabPlan): Promise<void> {
  await (
    await startOutsideWeb(context, plan)
  ).listening;
  await (
    await startDhcpServers(context, plan)
  ).listening;
}

test("programs are started in limited groups, in the LAN's namespaces, on the station's CPUs", async () => {
  const { host, context } = createFixture();
  await startLanServices(context, PLAN);
  expect(started(host.records).toSorted()).toEqual([DNSMASQ, ...WEB].toSorted());
  const dnsmasq = host.records.find((line) => line.includes("dnsmasq --keep"));
  expect(dnsmasq).toContain("[namespace=cloison.demo.lan cgroup=cloison/demo/lan/dhcp-lan0 cpus=1 output=");
  const limits = host.records.filter((line) => line.startsWith("cgroup cloison/demo/lan/dhcp-lan0 "));
  expect(limits).toEqual([
    "cgroup cloison/demo/lan/dhcp-lan0 memory.limit_in_bytes = 536870912",
    "cgroup cloison/demo/lan/dhcp-lan0 pids.max = 64",
  ]);
});

test("programs that run as they should are left alone; changed ones are started anew, old ones ended", async () => {
  const { host, context } = createFixture({
    pids: { "cloison/demo/lan/dhcp-lan0": [5], "cloison/demo/lan/outside-web": [6], "cloison/demo/lan/dhcp-lan9": [7] },
  });
  await startLanServices(context, PLAN);
  host.records.length = 0;
  await host.cgroups.ensure("cloison/demo/lan/dhcp-lan0");
  await host.cgroups.ensure("cloison/demo/lan/outside-web");
  await startLanServices(context, PLAN);
  expect(started(host.records)).toEqual([]);

  await host.cgroups.ensure("cloison/demo/lan/dhcp-lan9");
  await startLanServices(context, { ...PLAN, placement: { ...PLAN.placement, probe: [9] } });
  expect(started(host.records)).toEqual([
    "destroy cgroup cloison/demo/lan/outside-web",
    ...WEB,
    "destroy cgroup cloison/demo/lan/dhcp-lan9",
  ]);
});

test("a DHCP server that ends says why", async () => {
  const { host, context } = createFixture({ answers: () => ({ code: 2 }) });
  host.files.texts.set("/state/labs/demo/lan/lan0.log", "\ndnsmasq: unknown interface lan0\n");
  await expect(startLanServices(context, PLAN)).rejects.toThrow(
    "the DHCP server of lab demo does not start: dnsmasq: unknown interface lan0",
  );
});

test("a DHCP server that never listens is not waited for without end", async () => {
  const { host, context } = createFixture({ answers: () => "runs" });
  await expect(startLanServices(context, PLAN)).rejects.toThrow("it says nothing");
  expect(host.clock.monotonicMs()).toBeLessThan(60_000);
});

const NAT_SERVER = {
  namespace: "cloison.demo.host",
  interface: "natbr0",
  server: "10.200.0.1",
  prefix: 24,
  router: "10.200.0.1",
  leases: [],
  dns: [{ name: "one", address: "10.200.0.11" }],
};
const VLAN_SERVER = {
  namespace: "cloison.demo.outside-dmz",
  interface: "eth0",
  server: "10.2.0.254",
  prefix: 24,
  router: null,
  leases: [],
  dns: null,
};

test("the host's server knows the lab's names and asks nobody else; a VLAN's tells of no way out", () => {
  expect(dnsmasqConfiguration(NAT_SERVER, "/lan/natbr0")).toBe(`except-interface=lo
local=//
domain-needed
interface=natbr0
bind-interfaces
no-resolv
no-hosts
no-ping
user=root
dhcp-authoritative
pid-file=/lan/natbr0.pid
dhcp-leasefile=/lan/natbr0.leases
dhcp-range=10.200.0.1,static,255.255.255.0,12h
dhcp-option=option:router,10.200.0.1
dhcp-option=option:dns-server,10.200.0.1
host-record=one,10.200.0.11
`);
  expect(dnsmasqConfiguration(VLAN_SERVER, "/lan/x")).toContain("dhcp-option=option:router\n");
});

test("servers run where their network is: the host's on the platform's CPUs, and every outside machine has a web server", async () => {
  const { host, context } = createFixture();
  const vlan = { name: "outside-dmz", namespace: "cloison.demo.outside-dmz", address: "10.2.0.254", prefix: 24 };
  const plan = {
    ...PLAN,
    machines: { ...PLAN.machines, "outside-dmz": vlan },
    network: {
      ...PLAN.network,
      [vlan.namespace]: { links: [], addresses: [], routes: [], neighbours: [], sysctls: {}, tables: {} },
    },
    dhcp: [NAT_SERVER, VLAN_SERVER],
  };
  await host.cgroups.ensure("cloison/demo/host/dhcp-natbr7");
  await startLanServices(context, plan);
  expect(host.records.filter((line) => line.startsWith("web server"))).toEqual([
    "web server 0.0.0.0 in cloison/demo/lan/outside-web",
    "web server 0.0.0.0 in cloison/demo/lan/outside-dmz-web",
  ]);
  const servers = host.records.filter((line) => line.includes("dnsmasq --keep"));
  expect(servers.map((line) => /\[(.*) output/.exec(line)?.[1])).toEqual([
    "namespace=cloison.demo.host cgroup=cloison/demo/host/dhcp-natbr0 cpus=0",
    "namespace=cloison.demo.outside-dmz cgroup=cloison/demo/lan/dhcp-outside-dmz-eth0 cpus=1",
  ]);
  expect(servers[1]).toContain("/lan/outside-dmz-eth0.conf");
  expect(host.records).toContain("destroy cgroup cloison/demo/host/dhcp-natbr7");
});

test("a server on a bridge can start before ports are made, one on a machine's interface cannot", () => {
  const dhcp = [...PLAN.dhcp, VLAN_SERVER];
  expect(dhcpServers({ ...PLAN, dhcp })).toEqual({ onBridges: PLAN.dhcp, onOthers: [VLAN_SERVER] });
});
