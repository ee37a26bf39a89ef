import { expect, test } from "vitest";
import { createFakeHost, type FakeHostOptions } from "../../host/fake.ts";
import type { LabPlan } from "../../model/plan.ts";
import { WORKSPACE } from "../guest/fixture.ts";
import { createXenPlatform } from "./xen-platform.ts";
import { xenPaths } from "./xen-paths.ts";

const PATHS = xenPaths(WORKSPACE, "www");
const PLAN = { lab: "l", domains: [{ name: "www" }] } as unknown as LabPlan;

const listed = (flags: string, id = 7) =>
  `cloison.l.www  ${id}  96  1  ${flags}  2.5 ${PATHS.uuid}  -  -\nother  8  96  1  r-----  9.9 ${"0".repeat(8)}-0000-0000-0000-${"0".repeat(12)}  -  -\n`;

/** A dom0 with this list of domains; the QEMU of number 7 is 70. */
function dom0(list: string, options: FakeHostOptions = {}) {
  return createFakeHost({
    files: { [PATHS.disk]: "", [`${PATHS.sockets}/control0`]: "" },
    pids: { "cloison/l/www": [70, 71] },
    answers({ argv: [program, ...args] }) {
      if (program === "xl" && args[0] === "destroy") list = "";
      if (program === "xl" && args[0] === "list") return { stdout: list };
      if (program === "xenstore-read") return { stdout: "70\n" };
      return undefined;
    },
    ...options,
  });
}
const stateIn = async (host: ReturnType<typeof dom0>) =>
  (await createXenPlatform().list(host, WORKSPACE, PLAN)).map(({ state, pid, detail }) => ({ state, pid, detail }));

test("a domain's state is Xen's, as long as its QEMU is there", async () => {
  expect(await stateIn(dom0(listed("-b----")))).toEqual([{ state: "running", pid: 70, detail: undefined }]);
  expect(await stateIn(dom0(listed("--p---")))).toMatchObject([{ state: "paused" }]);
  expect(await stateIn(dom0(listed("-b----"), { pids: { "cloison/l/www": [71] } }))).toEqual([
    { state: "stopped", pid: null, detail: "its QEMU in dom0, which serves its disk, was killed" },
  ]);
});

test("what ended a domain is told by its console", async () => {
  const files = (console: string) => ({
    [PATHS.disk]: "",
    [PATHS.xl]: "",
    [`${PATHS.sockets}/x`]: "",
    ...(console === "" ? {} : { [PATHS.console]: console }),
  });
  const of = (console: string) => stateIn(dom0("", { pids: {}, files: files(console) }));
  expect(await of("cloison: the guest is up\ncloison: the guest is told to go\n")).toMatchObject([
    { state: "stopped", detail: "it was shut down" },
  ]);
  expect(await of("")).toMatchObject([{ detail: expect.stringContaining("too little memory") as string }]);
  expect(await of("cloison: the guest is up\n")).toMatchObject([
    { detail: "it was destroyed by somebody, was reset, or switched itself off" },
  ]);
});

test("one that was not started is prepared", async () => {
  expect(await stateIn(dom0("", { pids: {}, files: { [PATHS.disk]: "" } }))).toMatchObject([{ state: "prepared" }]);
});

test("it is destroyed by the number that it has now, with what Xen's tools said of it, and twice", async () => {
  const logs = ["xl-cloison.l.www.log", "qemu-dm-cloison.l.www.log.1", "xl-cloison.l.www2.log", "xenstored.log"];
  const host = dom0(listed("-b----", 41), {
    files: { [PATHS.disk]: "", ...Object.fromEntries(logs.map((name) => [`/var/log/xen/${name}`, ""])) },
  });
  await createXenPlatform().destroy(host, WORKSPACE, "l", "www");
  expect(host.records.some((line) => /\bxl destroy 41$/.test(line.split("\n")[0] ?? ""))).toBe(true);
  expect([...host.files.texts.keys()]).toEqual(["/var/log/xen/xl-cloison.l.www2.log", "/var/log/xen/xenstored.log"]);
  await createXenPlatform().destroy(dom0(""), WORKSPACE, "l", "www");
});

test("limits of block I/O are refused before anything is made", async () => {
  const host = dom0("");
  const domain = { name: "www", limits: { io: { readIops: 5 } } } as never;
  await expect(createXenPlatform().prepare(host, WORKSPACE, PLAN, domain)).rejects.toThrow(/is not limited/);
  expect(host.records).toEqual([]);
});

test("a machine that does not run on Xen is told so, whatever is installed on it", async () => {
  const on = (files: Record<string, string>) => createXenPlatform().unfit?.(createFakeHost({ files }));
  expect(await on({ "/sys/hypervisor/type": "xen\n" })).toBe(null);
  for (const files of [{}, { "/sys/hypervisor/type": "kvm\n" }])
    expect(await on(files)).toMatchObject({ reason: "this machine does not run on Xen" });
});
