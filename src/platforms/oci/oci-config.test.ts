import { expect, test } from "vitest";
import type { DomainPlan } from "../../model/plan.ts";
import { ociConfig, type OciMachine } from "./oci-config.ts";

const domain: DomainPlan = {
  id: 1,
  name: "apache1",
  members: ["apache1"],
  hostname: "apache1",
  namespace: "cloison.study.apache1",
  image: "web",
  recipe: {
    base: "minbase",
    packages: [],
    files: {},
    commands: [],
    services: { apache: { command: ["apache2", "-D", "FOREGROUND"] } },
  },
  limits: {
    cpus: 0.25,
    cpuPeriodMs: 10,
    shares: 1024,
    cpuset: [0, 1],
    memoryBytes: 268_435_456,
    pids: 256,
    diskBytes: 1_073_741_824,
    io: { readBytesPerSecond: 1000, writeIops: 20 },
  },
  vifs: [],
  services: ["apache"],
  workers: 24,
  files: {},
};
const machine: OciMachine = {
  rootPath: "/state/labs/study/domains/apache1/root",
  networkNamespacePath: "/run/netns/cloison.study.apache1",
  cgroupsPath: "/cloison/study/apache1",
  memoryNodes: "0",
  openFiles: 20_000,
  swapAccounting: true,
  layerDevice: { major: 7, minor: 3 },
};

test("config.json of a domain", () => {
  const { linux, ...config } = ociConfig(domain, machine);
  const { seccomp, ...rest } = linux;
  expect({ ...config, linux: rest }).toMatchSnapshot();
  expect(seccomp.defaultAction).toBe("SCMP_ACT_ERRNO");
});

test("limits reach both versions of cgroups by the same fields", () => {
  expect(ociConfig(domain, machine).linux.resources).toEqual({
    devices: [{ allow: false, access: "rwm" }],
    cpu: { shares: 1024, cpus: "0,1", mems: "0", quota: 2500, period: 10_000 },
    memory: { limit: 268_435_456, swap: 268_435_456 },
    pids: { limit: 256 },
    blockIO: {
      throttleReadBpsDevice: [{ major: 7, minor: 3, rate: 1000 }],
      throttleWriteIOPSDevice: [{ major: 7, minor: 3, rate: 20 }],
    },
  });
});

test("what is not limited, or cannot be, is left out", () => {
  const limits = { ...domain.limits, cpus: null, io: {} };
  const { resources } = ociConfig(
    { ...domain, limits },
    { ...machine, swapAccounting: false, layerDevice: null },
  ).linux;
  expect(resources).toEqual({
    devices: [{ allow: false, access: "rwm" }],
    cpu: { shares: 1024, cpus: "0,1", mems: "0" },
    memory: { limit: 268_435_456 },
    pids: { limit: 256 },
  });
});

test("asks for no more open files than the machine has, nor than serve a program", () => {
  const files = (openFiles: number) => ociConfig(domain, { ...machine, openFiles }).process.rlimits[0];
  expect(files(20_000)).toEqual({ type: "RLIMIT_NOFILE", hard: 20_000, soft: 20_000 });
  expect(files(Number.MAX_SAFE_INTEGER)).toEqual({ type: "RLIMIT_NOFILE", hard: 65_536, soft: 65_536 });
});

test("only a domain with a DHCP client may set addresses", () => {
  const vif = {
    vif: "vif1.0",
    guest: "eth0",
    mac: "00:16:3e:00:00:01",
    network: "lan",
    address: "10.0.0.2",
    prefix: 24,
    gateway: "10.0.0.1",
    address6: null,
    prefix6: null,
    gateway6: null,
    onLinkGateway: false,
    defaultRoute: true,
  };
  const capabilities = (configuration: "dhcp" | "static") =>
    ociConfig({ ...domain, vifs: [{ ...vif, configuration }] }, machine).process.capabilities.bounding;
  expect(capabilities("static")).not.toContain("CAP_NET_ADMIN");
  expect(capabilities("dhcp")).toContain("CAP_NET_ADMIN");
});

test("a domain without services stays open", () => {
  expect(ociConfig({ ...domain, services: [] }, machine).process.args).toEqual([
    "/usr/bin/tini",
    "--",
    "sleep",
    "infinity",
  ]);
});

test.each([
  [{ cpus: 0.05, cpuPeriodMs: 10 }, /less than the 1 ms/, "write a cpuPeriod of 20ms or longer, or more cpus"],
  [{ cpus: 1, cpuPeriodMs: 0.5 }, /outside of 1 ms to 1 s/, "the kernel takes no other periods; 10ms is a good one"],
  [{ cpus: 1, cpuPeriodMs: 2000 }, /outside of 1 ms to 1 s/, "the kernel takes no other periods; 10ms is a good one"],
])("%o are limits that no kernel takes", (limits, message, hint) => {
  const make = () => ociConfig({ ...domain, limits: { ...domain.limits, ...limits } }, machine);
  expect(make).toThrow(message);
  expect(make).toThrow(expect.objectContaining({ hint }) as Error);
});

test("the filter names each call once, and lets no domain leave its walls", () => {
  const { syscalls } = ociConfig(domain, machine).linux.seccomp;
  const allowed = syscalls
    .filter(({ action, args }) => action === "SCMP_ACT_ALLOW" && args === undefined)
    .flatMap(({ names }) => names);
  expect(allowed.filter((name, i) => allowed.indexOf(name) !== i || !/^[a-z0-9_]+$/.test(name))).toEqual([]);
  const walls = [
    "mount",
    "umount2",
    "setns",
    "unshare",
    "clone",
    "clone3",
    "reboot",
    "init_module",
    "ptrace",
    "bpf",
    "keyctl",
    "kexec_load",
    "swapon",
    "chroot",
    "pivot_root",
    "open_by_handle_at",
    "perf_event_open",
    "socket",
    "personality",
    "settimeofday",
    "io_uring_setup",
    "userfaultfd",
  ];
  expect(walls.filter((name) => allowed.includes(name))).toEqual([]);
});
