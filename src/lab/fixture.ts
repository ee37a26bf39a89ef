import { createFakeHost, type FakeHost, type FakeHostOptions } from "../host/fake.ts";
import type { Link } from "../model/network-state.ts";
import type { DomainPlan, LabPlan } from "../model/plan.ts";
import type { Platform } from "../platforms/platform.ts";
import type { LabContext } from "./context.ts";

/** What tests of this folder share: a machine on which nothing happens, and a lab of two domains. */
export interface Fixture {
  host: FakeHost;
  context: LabContext;
  /** Names of the domains that run. */
  running: Set<string>;
  /** Makes the next step of this kind on this domain fail. */
  failures: Map<`${"prepare" | "start" | "destroy" | "limit"} ${string}`, Error>;
  /** Called before each step of a platform. */
  onStep: (step: string) => void;
}

export const ROOTS = { plain: "/images/plain" };

export function createFixture(options: FakeHostOptions = {}): Fixture {
  const host: FakeHost = createFakeHost({
    startTimes: { 42: 4200 },
    answers({ argv }) {
      // dnsmasq writes its pid file when it listens.
      const file = argv.find((word) => word.startsWith("--conf-file="))?.slice("--conf-file=".length);
      if (file !== undefined) host.files.texts.set(file.replace(/conf$/, "pid"), "1");
      return undefined;
    },
    ...options,
  });
  const fixture: Fixture = {
    host,
    running: new Set(),
    failures: new Map(),
    onStep: () => undefined,
    context: {
      host,
      paths: { state: "/state", run: "/run/cloison" },
      platforms: {
        container: platform("container"),
        shared: platform("shared"),
        namespace: platform("namespace"),
        qemu: platform("qemu"),
        xen: { ...platform("xen"), bringsVifs: true },
      },
      pid: 42,
      async startWebServer(_host, { address, cgroup }) {
        host.records.push(`web server ${address} in ${cgroup}`);
        await host.cgroups.ensure(cgroup);
        await host.processes.start({ argv: ["web-server"] }, { detached: true });
        return { listening: Promise.resolve() };
      },
    },
  };

  function step(kind: "prepare" | "start" | "destroy" | "limit", name: string): void {
    host.records.push(`${kind} ${name}`);
    fixture.onStep(`${kind} ${name}`);
    const failure = fixture.failures.get(`${kind} ${name}`);
    if (failure !== undefined) throw failure;
  }

  function platform(name: Platform["name"]): Platform {
    return {
      name,
      merges: false,
      needsImages: true,
      packages: [],
      check: async () => ({ available: true, detail: "" }),
      list: async (_host, _workspace, { lab }) =>
        [...fixture.running].map((domain) => ({ lab, name: domain, state: "running", pid: 1, orphan: false })),
      async prepare(_host, workspace, { lab }, domain) {
        await workspace.record([{ kind: "domain", platform: name, lab, name: domain.name }]);
        step("prepare", domain.name);
      },
      async start(_host, _workspace, _plan, domain) {
        step("start", domain.name);
        fixture.running.add(domain.name);
      },
      async destroy(_host, _workspace, _lab, domain) {
        step("destroy", domain);
        fixture.running.delete(domain);
      },
      exec: async () => ({ code: 0, signal: null, stdout: "", stderr: "", timedOut: false }),
      logFile: () => "/log",
      limiting: { fits: async () => true, set: async (_host, _workspace, domain) => step("limit", domain.name) },
      usage: async () => {
        throw new Error("nobody asks for usage here");
      },
    };
  }
  return fixture;
}

/** A domain with one interface. */
export function domainPlan(name: string, id: number, changes: Partial<DomainPlan> = {}): DomainPlan {
  return {
    id,
    name,
    members: [name],
    hostname: name,
    namespace: `cloison.demo.${name}`,
    image: "plain",
    recipe: { base: "minbase", packages: [], files: {}, commands: [], services: {} },
    limits: {
      cpus: null,
      cpuPeriodMs: 10,
      shares: 1024,
      cpuset: [0],
      memoryBytes: 64 * 2 ** 20,
      pids: 64,
      diskBytes: null,
      // Read back from JSON it is not there at all.
      io: { readIops: undefined },
    },
    vifs: [
      {
        vif: `vif${id}.0`,
        guest: "eth0",
        mac: `00:16:3e:00:00:0${id}`,
        network: "lan",
        address: `10.9.0.1${id}`,
        prefix: 24,
        gateway: "10.9.0.1",
        address6: null,
        prefix6: null,
        gateway6: null,
        onLinkGateway: false,
        defaultRoute: true,
        configuration: "static",
      },
    ],
    services: [],
    workers: 0,
    files: {},
    ...changes,
  };
}

const NOTHING = { links: [], addresses: [], routes: [], neighbours: [], sysctls: {}, tables: {} };

const LAN0: Link = {
  name: "lan0",
  kind: "bridge",
  up: true,
  mtu: 1500,
  mac: null,
  master: null,
  peer: null,
  rpsCpus: [],
};

/** A lab named demo. Its network is nothing but the LAN's switch, as tests of this folder are not about it. */
export function labPlan(
  domains = [domainPlan("one", 1), domainPlan("two", 2)],
  changes: Partial<LabPlan> = {},
): LabPlan {
  const machine = (name: "station" | "outside", address: string) => ({
    name,
    namespace: `cloison.demo.${name}`,
    address,
    prefix: 24,
  });
  const machines = { station: machine("station", "10.9.0.254"), outside: machine("outside", "10.9.0.253") };
  const namespaces = ["cloison.demo.lan", "cloison.demo.host", machines.station.namespace, machines.outside.namespace];
  return {
    lab: "demo",
    platform: "container",
    placement: { platform: [0], station: [1], probe: [1], caveats: [] },
    domains,
    targets: {},
    hostNamespace: "cloison.demo.host",
    lanNamespace: "cloison.demo.lan",
    machines,
    dhcp: [
      {
        namespace: "cloison.demo.lan",
        interface: "lan0",
        server: "10.9.0.1",
        prefix: 24,
        router: "10.9.0.1",
        dns: null,
        leases: domains.flatMap(({ vifs, hostname }) => vifs.map(({ mac, address }) => ({ mac, address, hostname }))),
      },
    ],
    endpoints: [],
    networks: [],
    uplinks: [],
    warnings: [],
    network: {
      ...Object.fromEntries(
        [...namespaces, ...domains.map(({ namespace }) => namespace)].map((name) => [name, NOTHING]),
      ),
      "cloison.demo.lan": { ...NOTHING, links: [LAN0] },
    },
    ...changes,
  };
}
