import { expect, test } from "vitest";
import { createFakeHost, type FakeHostOptions } from "../../host/fake.ts";
import type { DomainPlan, LabPlan } from "../../model/plan.ts";
import type { Workspace } from "../platform.ts";
import { createOciPlatform } from "./oci-platform.ts";

const domain: DomainPlan = {
  id: 1,
  name: "linux1",
  members: ["linux1"],
  hostname: "linux1",
  namespace: "cloison.study.linux1",
  image: "stress",
  recipe: { base: "minbase", packages: [], files: {}, commands: [], services: {} },
  limits: {
    cpus: 1,
    cpuPeriodMs: 10,
    shares: 1024,
    cpuset: [0],
    memoryBytes: 2 ** 28,
    pids: 128,
    diskBytes: 2 ** 30,
    io: { writeIops: 50 },
  },
  vifs: [],
  services: [],
  workers: 0,
  files: { "/etc/motd": "welcome\n" },
};
const plan = { lab: "study", domains: [domain] } as unknown as LabPlan;
const LIMITS =
  "Limit                     Soft Limit           Hard Limit           Units\nMax open files            1024                 20000                files\n";

function scene(options: FakeHostOptions = {}) {
  const host = createFakeHost({
    files: {
      "/proc/self/limits": LIMITS,
      "/images/key,with:odd/rootfs/etc/passwd": "root:x:0:0::/:/bin/sh\nwww-data:x:33:33::/:/bin/false\n",
    },
    answers: ({ argv }) => {
      if (argv[0] === "findmnt")
        return { stdout: argv.includes("MAJ:MIN,SOURCE") ? "7:3 /dev/loop3\n" : "/dev/loop3\n" };
      if (argv.includes("run")) return { code: 0 };
      const pidFile = argv[argv.indexOf("--pid-file") + 1];
      if (!argv.includes("exec") || pidFile === undefined) return undefined;
      host.files.texts.set(pidFile, "4711");
      return { code: 128 + 15, stdout: "uid=33\n" };
    },
    ...options,
  });
  const workspace: Workspace = {
    directory: "/state/labs/study",
    rootfs: () => "/images/key,with:odd/rootfs",
    cgroup: "cloison/study",
    record: async (undos) => void host.records.push(...undos.map((undo) => `undo: ${JSON.stringify(undo)}`)),
  };
  return { host, workspace, platform: createOciPlatform({ name: "container", merges: false }) };
}

test.each([1, 2] as const)("what it does, on cgroup v%i", async (cgroupVersion) => {
  const { host, workspace, platform } = scene({ cgroupVersion });
  await platform.prepare(host, workspace, plan, domain);
  host.records.push("--- start");
  await platform.start(host, workspace, plan, domain);
  host.records.push("--- exec");
  host.files.texts.set("/run/cloison/runc/study/linux1/state.json", "{}");
  const exit = await platform.exec(host, workspace, plan, domain, ["id"], { user: "www-data", env: { A: "b c" } });
  expect(exit).toEqual({ code: null, signal: "SIGTERM", stdout: "uid=33\n", stderr: "", timedOut: false });
  host.records.push("--- destroy");
  await platform.destroy(host, workspace, "study", "linux1");
  expect(
    host.records
      .join("\n")
      .replace(/"seccomp":\{.*\},("maskedPaths")/, '"seccomp":…,$1')
      .replace(/exec-[^ /]*?\.(pid|log)/g, "exec.$1"),
  ).toMatchSnapshot();
});

test("a domain that is there already is not made again", async () => {
  const { host, workspace, platform } = scene();
  await platform.prepare(host, workspace, plan, domain);
  await expect(platform.prepare(host, workspace, plan, domain)).rejects.toMatchObject({
    message: "domain linux1 is there already",
    hint: "cloison down study",
  });
});

test("says what runc complained of", async () => {
  const { host, workspace, platform } = scene({
    answers: ({ argv }) => (argv.includes("run") ? { code: 1 } : { stdout: "7:3 /dev/loop3\n" }),
  });
  await platform.prepare(host, workspace, plan, domain);
  const start = platform.start(host, workspace, plan, domain);
  await expect(start).rejects.toThrow("domain linux1 did not start: runc ended with 1");
});
