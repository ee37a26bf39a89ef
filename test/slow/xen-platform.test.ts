import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { DomainRow } from "../../src/app/inspect.ts";
import { createRealHost } from "../../src/host/real.ts";
import { needs } from "../needs.ts";
import type { Ended } from "../sandbox.ts";
import { bringGuests } from "../xen-host/guests.ts";
import { bringProgram } from "../xen-host/program.ts";
import { XEN_HOST_NEEDS, startXenHost, stateFolder, type XenHost } from "../xen-host/xen-host.ts";

const LAB = `
name: pv
platform: xen
images: {}
networks: { lan: { subnet: 10.79.0.0/24 } }
domains:
  one: { image: small, memory: 96M, cpus: 0.5, shares: 512 }
  two: { image: small, memory: 96M, nics: [{ network: lan, address: dhcp }] }
`;

/** States and reachability; an emulated machine is no measure of time. */
needs(
  ...XEN_HOST_NEEDS,
  "busybox",
  "tini",
)("a lab on Xen", () => {
  let xen: XenHost;
  let cloison: (command: string, timeoutMs?: number) => Promise<Ended>;
  let before = "";

  const succeed = async (command: string) => {
    const { code, stdout, stderr } = await cloison(command, 220_000);
    if (code !== 0) throw new Error(`cloison ${command} ended with ${code}: ${stdout}${stderr}`);
    return stdout;
  };
  const rows = async () =>
    Object.fromEntries((JSON.parse(await succeed("ps pv --json")) as DomainRow[]).map((row) => [row.domain, row]));
  /** What a lab could leave; xenstored's logs are its own, and it begins another one when one is full. */
  const residue = () =>
    xen.must(`xl list | sed 's/ .*//'; ls /run/netns /run/cloison/xen /var/log/xen /var/lib/cloison/labs 2>/dev/null | grep -v '^xenstored'
      grep -c cloison /proc/mounts; ls -d /sys/fs/cgroup/cloison/* 2>/dev/null; xenstore-list /local/domain; true`);

  beforeAll(async () => {
    xen = await startXenHost(createRealHost(), stateFolder());
    cloison = await bringProgram(xen);
    await bringGuests(xen, cloison);
    writeFileSync(join(xen.brought, "pv.yaml"), LAB);
    await xen.must("mkdir -p /run/cloison/xen /var/lib/cloison/labs");
    before = await residue();
  }, 600_000);
  afterAll(() => xen?.close());

  test("comes up, with its budgets, and programs run in its domains", async () => {
    await succeed("up /brought/pv.yaml");
    expect(await rows()).toMatchObject({ one: { state: "running" }, two: { state: "running" } });
    expect(await succeed("exec pv one -- uname -nr")).toMatch(/^one 6\.\d.*cloud-amd64\n$/);
    expect(await succeed("exec pv two -- ip -4 -o addr show eth0")).toContain("10.79.0.12/24");
    expect((await cloison("exec pv one -- sh -c 'exit 7'")).code).toBe(7);
    expect(await xen.must("xl sched-credit2 -d cloison.pv.one")).toMatch(/ 128 +50$/m);
    expect(await succeed("logs pv one")).toContain("the guest is up");
  });

  test("goes on with other limits when its file says so", async () => {
    const number = await xen.must("xl domid cloison.pv.one");
    writeFileSync(join(xen.brought, "pv.yaml"), LAB.replace("cpus: 0.5, shares: 512", "cpus: 0.25, shares: 256"));
    expect(await succeed("up /brought/pv.yaml")).toContain("(limits set of one)");
    expect(await xen.must("xl sched-credit2 -d cloison.pv.one")).toMatch(/ 64 +25$/m);
    expect(await xen.must("xl domid cloison.pv.one")).toBe(number);
  });

  test("a snapshot keeps memory and disk: a file and a counter go back, in a domain of another number", async () => {
    const inside = (script: string) => succeed(`exec pv two -- sh -c '${script}'`);
    const countsTo = async (least: number) =>
      Number(await inside(`until [ $(cat /dev/shm/count) -ge ${least} ]; do sleep 0.1; done; cat /dev/shm/count`));
    const number = () => xen.must("xl domid cloison.pv.two");
    await inside(`(n=0; while :; do n=$((n + 1)); echo $n >/dev/shm/count; sleep 0.1; done) >/dev/null 2>&1 </dev/null &
      echo mine >/file; until [ -s /dev/shm/count ]; do sleep 0.1; done`);
    const before = await number();
    const atLeast = await countsTo(1);
    expect(JSON.parse(await succeed("snapshot create pv two good --json"))).toMatchObject({ memory: true });
    const atMost = await countsTo(1);
    await inside("echo other >/file; sync");
    const wentOn = await countsTo(atMost + 200);
    await succeed("snapshot restore pv two good");
    const now = await countsTo(1);
    expect({ isLater: now >= atLeast, isEarlier: now < wentOn }).toEqual({ isLater: true, isEarlier: true });
    expect(await inside("cat /file")).toBe("mine\n");
    expect(await countsTo(now + 10)).toBeGreaterThan(now);
    expect(await number()).not.toBe(before);
    await succeed("snapshot remove pv two good");
  });

  test("is asked, and answers as predicted; its network is as planned", async () => {
    expect(await succeed("net verify pv")).toMatch(/^\d+ questions: .*; all as predicted$/m);
    expect(await succeed("net diff pv")).toMatch(/nothing differs/);
  });

  test("its domains are paused, go on, are counted, and are shut down", async () => {
    await succeed("pause pv one");
    expect((await rows())["one"]?.state).toBe("paused");
    await succeed("resume pv one");
    const counted = JSON.parse(await succeed("stats pv one --json")) as Record<string, number>;
    expect(counted["cpuNs"]).toBeGreaterThan(0);
    expect(counted["diskReadBytes"]).toBeGreaterThan(2 ** 20);
    expect(await succeed("shutdown pv two")).toContain("by itself");
    expect((await rows())["two"]).toMatchObject({ state: "stopped", detail: "it was shut down" });
  });

  test("a killed QEMU of a domain's is told, up mends it, and down leaves nothing", async () => {
    await xen.must("kill -9 $(xenstore-read /local/domain/$(xl domid cloison.pv.one)/image/device-model-pid); sleep 1");
    const { state, detail } = (await rows())["one"] ?? {};
    expect({ state, detail }).toEqual({
      state: "stopped",
      detail: "its QEMU in dom0, which serves its disk, was killed",
    });
    await succeed("up /brought/pv.yaml");
    expect(await rows()).toMatchObject({ one: { state: "running" }, two: { state: "running" } });
    await succeed("down pv");
    expect(await residue()).toBe(before);
  });

  test("a backup is brought back: what a domain wrote, as files", async () => {
    await succeed("up /brought/pv.yaml");
    await succeed("exec pv one -- sh -c 'echo mine >/file; rm /etc/passwd; ln -s file /soft'");
    await succeed("backup pv /root/pv.tar.zst");
    await succeed("down pv");
    await succeed("restore /root/pv.tar.zst");
    expect(await succeed("exec pv one -- sh -c 'cat /soft; ls /etc/passwd 2>/dev/null || echo gone'")).toBe(
      "mine\ngone\n",
    );
    expect(await rows()).toMatchObject({ one: { state: "running" }, two: { state: "running" } });
    await succeed("down pv");
    await xen.must("rm /root/pv.tar.zst");
    expect(await residue()).toBe(before);
  });
});
