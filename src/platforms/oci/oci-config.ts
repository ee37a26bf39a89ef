import { LabError } from "../../model/error.ts";
import type { DomainLimits, DomainPlan } from "../../model/plan.ts";
import { initScript } from "../init-script.ts";
import { type SeccompProfile, seccompProfile } from "./seccomp.ts";

/** Everything that the configuration depends on besides the domain. */
export interface OciMachine {
  /** Where the root file system stands, absolute. */
  rootPath: string;
  /** File of the network namespace. */
  networkNamespacePath: string;
  /** Control group, absolute from the root of every hierarchy: `/cloison/<lab>/<name>`. */
  cgroupsPath: string;
  /** Memory nodes, as the kernel writes lists. */
  memoryNodes: string;
  /** The hard limit of open files that this process has: without CAP_SYS_RESOURCE a container gets no more. */
  openFiles: number;
  /** Whether the kernel counts swap per group. Where it does not, asking for a swap limit fails. */
  swapAccounting: boolean;
  /** The disk that holds the writable layer; null when no I/O limit is asked for. */
  layerDevice: BlockDevice | null;
}

export interface BlockDevice {
  major: number;
  minor: number;
}

type IoLimit = BlockDevice & { rate: number };

interface OciMount {
  destination: string;
  type: string;
  source: string;
  options: string[];
}

/** The part of the OCI runtime specification 1.0.2 that is used here. */
export interface OciConfig {
  ociVersion: "1.0.2";
  hostname: string;
  process: {
    terminal: false;
    user: { uid: number; gid: number };
    args: string[];
    env: string[];
    cwd: string;
    capabilities: { bounding: string[]; effective: string[]; permitted: string[] };
    rlimits: { type: string; hard: number; soft: number }[];
    noNewPrivileges: true;
    oomScoreAdj: number;
  };
  root: { path: string; readonly: false };
  mounts: OciMount[];
  linux: {
    cgroupsPath: string;
    namespaces: { type: string; path?: string }[];
    resources: {
      devices: { allow: false; access: "rwm" }[];
      cpu: { shares: number; cpus: string; mems: string; quota?: number; period?: number };
      memory: { limit: number; swap?: number };
      pids: { limit: number };
      blockIO?: {
        throttleReadBpsDevice?: IoLimit[];
        throttleWriteBpsDevice?: IoLimit[];
        throttleReadIOPSDevice?: IoLimit[];
        throttleWriteIOPSDevice?: IoLimit[];
      };
    };
    seccomp: SeccompProfile;
    maskedPaths: string[];
    readonlyPaths: string[];
  };
}

/**
 * What a web server, the stressors and ping need. Changing owners and modes, reading what services own, becoming the
 * service's user, signalling its processes, ports under 1024, raw sockets.
 */
const CAPABILITIES = [
  "CAP_CHOWN",
  "CAP_DAC_OVERRIDE",
  "CAP_FOWNER",
  "CAP_KILL",
  "CAP_NET_BIND_SERVICE",
  "CAP_NET_RAW",
  "CAP_SETGID",
  "CAP_SETUID",
];

/** More descriptors than this serve no program here, and loops over all of them become slow. */
const OPEN_FILES = 65_536;

/** Whatever the machine runs out of memory for, a domain is ended before the machine's own processes (proc(5): -1000 to 1000). */
const OOM_SCORE_ADJUSTMENT = 500;

/** CFS bandwidth: kernel/sched/core.c takes quotas from 1 ms, and periods from 1 ms to 1 s. */
const CFS_MINIMUM_US = 1000;
const CFS_MAXIMUM_PERIOD_US = 1_000_000;

/** Kernel interfaces that tell of the machine or change it, as container runtimes commonly hide them. */
const MASKED_PATHS = [
  "/proc/acpi",
  "/proc/asound",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/sched_debug",
  "/proc/scsi",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/sys/firmware",
];
const READONLY_PATHS = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

const MOUNTS: OciMount[] = [
  { destination: "/proc", type: "proc", source: "proc", options: ["nosuid", "noexec", "nodev"] },
  { destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid", "strictatime", "mode=755", "size=64k"] },
  {
    destination: "/dev/pts",
    type: "devpts",
    source: "devpts",
    options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
  },
  {
    destination: "/dev/shm",
    type: "tmpfs",
    source: "shm",
    options: ["nosuid", "noexec", "nodev", "mode=1777", "size=64m"],
  },
  { destination: "/dev/mqueue", type: "mqueue", source: "mqueue", options: ["nosuid", "noexec", "nodev"] },
  { destination: "/sys", type: "sysfs", source: "sysfs", options: ["nosuid", "noexec", "nodev", "ro"] },
];

export const ENVIRONMENT = [
  "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  "HOME=/root",
  "LANG=C.UTF-8",
];

/** tini reaps what services leave behind; without services it keeps the domain open. */
export function firstProcess(domain: DomainPlan): string[] {
  const script = initScript(domain);
  const command = script === null ? ["sleep", "infinity"] : ["/bin/sh", "-c", script];
  return ["/usr/bin/tini", "--", ...command];
}

/**
 * config.json of a domain. The same fields serve cgroup v1 and v2: the runtime turns shares into a weight and
 * memory+swap into swap alone.
 * @throws LabError when the limits are such that no kernel takes them
 */
export function ociConfig(domain: DomainPlan, machine: OciMachine, args = firstProcess(domain)): OciConfig {
  const capabilities = domain.vifs.some((vif) => vif.configuration === "dhcp")
    ? // The DHCP client inside sets the leased address.
      [...CAPABILITIES, "CAP_NET_ADMIN"]
    : CAPABILITIES;
  const openFiles = Math.min(OPEN_FILES, machine.openFiles);
  return {
    ociVersion: "1.0.2",
    hostname: domain.hostname,
    process: {
      terminal: false,
      user: { uid: 0, gid: 0 },
      args,
      env: ENVIRONMENT,
      cwd: "/",
      capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
      rlimits: [
        { type: "RLIMIT_NOFILE", hard: openFiles, soft: openFiles },
        { type: "RLIMIT_CORE", hard: 0, soft: 0 },
      ],
      noNewPrivileges: true,
      oomScoreAdj: OOM_SCORE_ADJUSTMENT,
    },
    root: { path: machine.rootPath, readonly: false },
    mounts: MOUNTS,
    linux: {
      cgroupsPath: machine.cgroupsPath,
      namespaces: [
        ...["pid", "mount", "uts", "ipc", "cgroup"].map((type) => ({ type })),
        { type: "network", path: machine.networkNamespacePath },
      ],
      resources: {
        devices: [{ allow: false, access: "rwm" }],
        ...limitResources(domain, machine),
        ...blockIoResources(domain.limits.io, machine.layerDevice),
      },
      seccomp: seccompProfile(),
      maskedPaths: MASKED_PATHS,
      readonlyPaths: READONLY_PATHS,
    },
  };
}

type Resources = OciConfig["linux"]["resources"];

/** @throws LabError when the kernel takes no such quota */
export function limitResources(
  domain: DomainPlan,
  machine: Pick<OciMachine, "memoryNodes" | "swapAccounting">,
): Pick<Resources, "cpu" | "memory" | "pids"> {
  const { memoryBytes, pids } = domain.limits;
  return {
    cpu: cpuResources(domain, machine.memoryNodes),
    // Memory and swap together: as much as memory alone, so no swap.
    memory: { limit: memoryBytes, ...(machine.swapAccounting ? { swap: memoryBytes } : {}) },
    pids: { limit: pids },
  };
}

function cpuResources({ name, limits }: DomainPlan, mems: string): Resources["cpu"] {
  const cpu = { shares: limits.shares, cpus: limits.cpuset.join(","), mems };
  if (limits.cpus === null) return cpu;
  const period = Math.round(limits.cpuPeriodMs * 1000);
  const quota = Math.round(limits.cpus * period);
  if (period < CFS_MINIMUM_US || period > CFS_MAXIMUM_PERIOD_US) {
    throw new LabError(`domains.${name}.cpuPeriod: ${limits.cpuPeriodMs} ms is outside of 1 ms to 1 s`, {
      hint: "the kernel takes no other periods; 10ms is a good one",
    });
  }
  if (quota < CFS_MINIMUM_US) {
    throw new LabError(
      `domains.${name}.cpus: ${limits.cpus} of ${limits.cpuPeriodMs} ms is less than the 1 ms that the kernel can give`,
      {
        hint: `write a cpuPeriod of ${Math.ceil(CFS_MINIMUM_US / limits.cpus / 1000)}ms or longer, or more cpus`,
      },
    );
  }
  return { ...cpu, quota, period };
}

function blockIoResources(io: DomainLimits["io"], device: BlockDevice | null): Pick<Resources, "blockIO"> {
  if (device === null) return {};
  const limit = (rate: number): IoLimit[] => [{ ...device, rate }];
  return {
    blockIO: {
      ...(io.readBytesPerSecond === undefined ? {} : { throttleReadBpsDevice: limit(io.readBytesPerSecond) }),
      ...(io.writeBytesPerSecond === undefined ? {} : { throttleWriteBpsDevice: limit(io.writeBytesPerSecond) }),
      ...(io.readIops === undefined ? {} : { throttleReadIOPSDevice: limit(io.readIops) }),
      ...(io.writeIops === undefined ? {} : { throttleWriteIOPSDevice: limit(io.writeIops) }),
    },
  };
}
