import type { Recipe } from "./image.ts";
import type { Accel, PlatformName } from "./lab.ts";
import type { NetworkMode, VlanBackend } from "./network.ts";
import type { NetworkState } from "./network-state.ts";
import type { Endpoint } from "./reachability.ts";

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
  /** Of the subnet; a routed guest's own address is set with 32. */
  prefix: number;
  /** null: the network has no way out. */
  gateway: string | null;
  /** null: no IPv6 on this network. */
  address6: string | null;
  prefix6: number | null;
  gateway6: string | null;
  /** Routed: the guest's address stands alone (/32, /128), and its gateway is on the link. */
  onLinkGateway: boolean;
  /** The domain's default route goes through this interface: the first that has a gateway. */
  defaultRoute: boolean;
  /** Set by us from outside, or leased from the network's DHCP server. */
  configuration: "static" | "dhcp";
}

/** What only a guest with a kernel of its own has. */
export interface MachinePlan {
  /** Whose CPU it runs on: the processor's own (kvm), an emulated one (tcg), or the first of these that works. */
  accel: Accel;
  /** CPUs that its kernel sees. */
  vcpus: number;
  /** How long it may take until it is up; default: two minutes. */
  bootMs?: number;
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
  /** Only where domains have kernels of their own. */
  machine?: MachinePlan;
}

/** Where a client finds one of the lab's domains. */
export interface Target {
  /** Name of the DomainPlan that serves it. */
  context: string;
  address: string;
  /** 80; behind NAT a forwarded port of the host. */
  port: number;
  /** Value for the Host header: the domain's first site, else the domain's name. */
  host: string;
}

/** A machine of the company, in a namespace of its own; never a domain of the platform. */
export interface LanMachine {
  /** `station`, `outside`, or `outside-<network>` on a VLAN. */
  name: string;
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
  /** By name: the station, the outside machine, and for each VLAN network `outside-<network>`. */
  machines: { station: LanMachine; outside: LanMachine; [name: string]: LanMachine };
  /** What the DHCP (and DNS) servers are told. */
  dhcp: DhcpPlan[];
  /** The network wanted, per namespace; domains' included. */
  network: NetworkState;
  /** Who may ask and be asked: domains, host, router, the company's machines. */
  endpoints: Endpoint[];
  /** The lab file's networks, in its order. */
  networks: NetworkPlan[];
  /** Real interfaces of the machine that join: `lan` is the LAN's number. */
  uplinks: { lan: number; interface: string }[];
  /** Sentences for people: what may go wrong on this machine. */
  warnings: string[];
}

/** What one host has of a lab whose domains are on several. */
export interface LabPart {
  /** Names of the domains that are there. */
  domains: string[];
  /** The lab's own host: the company's machines are there, and what serves all. Of the others there is only what joins domains. */
  isMain: boolean;
}

/** A network as shown and drawn. */
export interface NetworkPlan {
  name: string;
  mode: NetworkMode;
  /** Number of the company LAN that its guests are on (bridge), lie in (routed) or leave by (nat); null: none. */
  lan: number | null;
  vlan: { id: number; backend: VlanBackend } | null;
  /** Bridge or switch in the host's namespace that holds the vifs; null: the host routes. */
  bridge: string | null;
  subnet: string;
  subnet6: string | null;
}

export interface DhcpPlan {
  /** Where it runs: the LAN's, the host's (NAT), or the outside machine's of a VLAN. */
  namespace: NamespaceName;
  /** Interface in that namespace that it listens on. */
  interface: string;
  server: string;
  prefix: number;
  /** The way out that clients are told; null: none. */
  router: string | null;
  /** Names that it resolves; null: it is no DNS server. */
  dns: { name: string; address: string }[] | null;
  /** Every machine has its lease fixed. */
  leases: { mac: string; address: string; hostname: string }[];
}
