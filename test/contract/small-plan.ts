import type { PlatformName } from "../../src/model/lab.ts";
import type { DomainPlan, LabPlan } from "../../src/model/plan.ts";

/** A domain with tight limits, no interfaces and no services, unless said otherwise. */
export function smallDomain(lab: string, name: string, changes: Partial<DomainPlan> = {}): DomainPlan {
  return {
    id: 1,
    name,
    members: [name],
    hostname: name,
    namespace: `cloison.${lab}.${name}`,
    image: "small",
    recipe: { base: "minbase", packages: [], files: {}, commands: [], services: {} },
    limits: {
      cpus: 0.5,
      cpuPeriodMs: 20,
      shares: 512,
      cpuset: [0],
      memoryBytes: 64 * 2 ** 20,
      pids: 64,
      diskBytes: null,
      io: {},
    },
    vifs: [],
    services: [],
    workers: 0,
    files: {},
    ...changes,
  };
}

/** A lab without networks. */
export function smallPlan(lab: string, platform: PlatformName, domains: DomainPlan[]): LabPlan {
  const machine = (name: "station" | "outside") => ({
    name,
    namespace: `cloison.${lab}.${name}`,
    address: "10.99.0.1",
    prefix: 24,
  });
  return {
    lab,
    platform,
    placement: { platform: [0], station: [0], probe: [0], caveats: [] },
    domains: domains.map((domain, i) => ({ ...domain, id: i + 1 })),
    targets: {},
    hostNamespace: `cloison.${lab}.host`,
    lanNamespace: `cloison.${lab}.lan`,
    machines: { station: machine("station"), outside: machine("outside") },
    dhcp: [],
    network: {},
    endpoints: [],
    networks: [],
    uplinks: [],
    warnings: [],
  };
}
