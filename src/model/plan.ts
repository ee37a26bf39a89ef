import type { Recipe } from "./image.ts";
import type { PlatformName } from "./lab.ts";
import type { NetworkState } from "./network-state.ts";

/** The name of a network namespace as `ip netns` shows it: `cloison.<lab>.<part>`. */
export type NamespaceName = string;

/** One interface of a domain: its end on the host and its end in the guest. */
export interface VifPlan {
  /** Host end, `vif<domain id>.<index>`. */
  vif: string;
  /** Guest end, `eth<index>`. */
  guest: string;
  /** `00:16:3e:xx:xx:xx`, the guest's. */
  mac: string;
  network: string;
  address: string;
  prefix: number;
  gateway: string;
  /** How the guest gets the address: set by the platform, or leased from the company's DHCP server. */
  configuration: "static" | "dhcp";
}

export interface DomainLimits {
  /** CPU quota in CPUs; null: none. */
  cpus: number | null;
  cpuPeriodMs: number;
  /** cgroup v1 shares (1024 is one unit); v2 weight is derived from it. */
  shares: number;
  /** CPU numbers, ascending. */
  cpuset: number[];
  memoryBytes: number;
  pids: number;
  /** Size of the writable layer; null: no limit of its own. */
  diskBytes: number | null;
  io: {
    readBytesPerSecond?: number | undefined;
    writeBytesPerSecond?: number | undefined;
    readIops?: number | undefined;
    writeIops?: number | undefined;
  };
}

/** One context that a platform makes. On `shared` it stands for all domains of the lab, else for one. */
export interface DomainPlan {
  /** Counts from 1, in the order of the lab file. */
  id: number;
  name: string;
  /** Names of the lab's domains that live here: itself, or all of them on `shared`. */
  members: string[];
  hostname: string;
  namespace: NamespaceName;
  /** Name of the image, and the recipe that makes it. */
  image: string;
  recipe: Recipe;
  limits: DomainLimits;
  vifs: VifPlan[];
  /** Names of the recipe's services that run here. */
  services: string[];
  /** Apache processes of all its sites, at most. */
  workers: number;
  /** What is written into the domain's own layer before it starts; absolute path → text. */
  files: Record<string, string>;
}

/** Where a client finds one of the lab's domains. */
export interface Target {
  /** Name of the DomainPlan that serves it. */
  context: string;
  address: string;
  /** Value for the Host header: the domain's first site, else the domain's name. */
  host: string;
}

/** A machine of the company LAN, in a namespace of its own; never a domain of the platform. */
export interface LanMachine {
  name: "station" | "outside";
  namespace: NamespaceName;
  address: string;
  prefix: number;
}

/** CPUs by role. With too few, roles share; `shared` says which do. */
export interface Placement {
  platform: number[];
  station: number[];
  probe: number[];
  /** Sentences for reports: which roles share a CPU. */
  caveats: string[];
}

/** Everything that is decided before anything is touched: ids, names, addresses, the network wanted, the limits. Pure data. */
export interface LabPlan {
  lab: string;
  platform: PlatformName;
  placement: Placement;
  domains: DomainPlan[];
  /** Key: name of a domain in the lab file. */
  targets: Record<string, Target>;
  /** `cloison.<lab>.host`: plays the machine that owns bridges, routes and vifs (dom0). */
  hostNamespace: NamespaceName;
  /** `cloison.<lab>.lan`: the company LAN's switch, gateway and DHCP server. */
  lanNamespace: NamespaceName;
  machines: { station: LanMachine; outside: LanMachine };
  /** What the company's DHCP server is told; one per network. */
  dhcp: DhcpPlan[];
  /** The network wanted, per namespace; domains' included. */
  network: NetworkState;
}

export interface DhcpPlan {
  /** Interface in the LAN's namespace that it listens on. */
  interface: string;
  server: string;
  prefix: number;
  /** Every machine has its lease fixed. */
  leases: { mac: string; address: string; hostname: string }[];
}
