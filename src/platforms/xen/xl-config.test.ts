import { expect, test } from "vitest";
import { createFakeHost, type FakeHost } from "../../host/fake.ts";
import { machineForm } from "../../model/machine-form.ts";
import type { DomainPlan } from "../../model/plan.ts";
import { createPaused } from "./boot.ts";
import { xlConfig } from "./xl-config.ts";
import { xenPaths } from "./xen-paths.ts";

const paths = xenPaths({ directory: '/s,t/"labs"/odd', cgroup: "cloison/odd" }, "www");

const DOMAIN: DomainPlan = {
  id: 1,
  name: "www",
  members: ["www"],
  hostname: "www",
  namespace: "cloison.odd.www",
  image: "small",
  recipe: { base: "minbase", packages: [], files: {}, commands: [], services: {} },
  limits: {
    cpus: 1.5,
    cpuPeriodMs: 20,
    shares: 512,
    cpuset: [0, 1],
    memoryBytes: 128 * 2 ** 20,
    pids: 64,
    diskBytes: null,
    io: {},
  },
  vifs: [{ vif: "vif1.0", mac: "00:16:3e:00:00:01" } as DomainPlan["vifs"][number]],
  services: [],
  workers: 0,
  files: {},
  machine: { accel: "auto", vcpus: 2 },
};

test("xl is told of the domain's disks, interfaces and consoles", () => {
  expect(xlConfig(DOMAIN, paths, machineForm("/i/rootfs", null), "from 0")).toMatchInlineSnapshot(`
    "name = "cloison.odd.www"
    uuid = "9294e81e-7066-8795-86db-b763c5a11877"
    type = "pv"
    kernel = "/i/machine/kernel"
    ramdisk = "/i/machine/initramfs"
    extra = "console=hvc0 quiet panic=-1"
    memory = 128
    vcpus = 2
    cpus = "0,1"
    disk = ["format=qcow2,vdev=xvda,access=rw,backendtype=qdisk,target=/s,t/\\"labs\\"/odd/domains/www/disk.qcow2", "format=raw,vdev=xvdb,access=rw,backendtype=qdisk,target=/s,t/\\"labs\\"/odd/domains/www/configuration.tar"]
    vif = ["mac=00:16:3e:00:00:01,script=/run/cloison/xen/odd/www/vif1.0"]
    channel = ["name=refused,connection=socket,path=/run/cloison/xen/odd/www/refused", "name=control0,connection=socket,path=/run/cloison/xen/odd/www/control0", "name=out0,connection=socket,path=/run/cloison/xen/odd/www/out0", "name=err0,connection=socket,path=/run/cloison/xen/odd/www/err0", "name=control1,connection=socket,path=/run/cloison/xen/odd/www/control1", "name=out1,connection=socket,path=/run/cloison/xen/odd/www/out1", "name=err1,connection=socket,path=/run/cloison/xen/odd/www/err1", "name=terminal0,connection=socket,path=/run/cloison/xen/odd/www/terminal0"]
    on_poweroff = "destroy"
    on_reboot = "destroy"
    on_crash = "destroy"
    "
  `);
});

test("an xl that numbers channels otherwise is told of them otherwise", async () => {
  const list = `cloison.odd.www 5 128 2 --p--- 0.0 ${paths.uuid} - -`;
  const firstChannel = (name: string) => {
    let isThere = false;
    return createFakeHost({
      answers({ argv: [program, verb] }) {
        if (program !== "xl") return { stdout: name };
        if (verb !== "list") isThere = verb === "create";
        return { stdout: isThere ? list : "" };
      },
    });
  };
  const channels = (host: FakeHost) =>
    host.records.filter((line) => line.includes(paths.xl)).map((line) => /name=(refused|control0)/.exec(line)?.[1]);
  const [old, other] = [firstChannel("control0"), firstChannel("refused")];
  const form = machineForm("/i/rootfs", null);
  for (const host of [old, other])
    expect(await createPaused(host, DOMAIN, paths, form, { cgroup: "cloison/odd/www", goesOn: false })).toBe(5);
  expect(channels(old)).toEqual(["refused", undefined]);
  expect(channels(other)).toEqual(["refused", undefined, "control0", undefined]);
});

test("what a domain is found again by is its own, and always the same", () => {
  const of = (lab: string, name: string) => xenPaths({ directory: "/l", cgroup: `cloison/${lab}` }, name).uuid;
  expect(of("odd", "www")).toBe(paths.uuid);
  expect(new Set([of("odd", "www"), of("odd", "two"), of("even", "www")]).size).toBe(3);
});
