import { expect, test } from "vitest";
import { createFakeHost } from "../../host/fake.ts";
import type { DomainPlan, LabPlan } from "../../model/plan.ts";
import { WORKSPACE } from "../guest/fixture.ts";
import { xenPacking } from "./packing.ts";
import { xenPaths } from "./xen-paths.ts";

const PATHS = xenPaths(WORKSPACE, "www");
const PLAN = { lab: "l" } as LabPlan;
const DOMAIN = { name: "www" } as DomainPlan;

/** A dom0 with the domain, in which this program fails. */
function dom0(fails?: string) {
  return createFakeHost({
    answers({ argv: [program, ...args] }) {
      if (program === "sh") return {};
      if (program === fails) return { code: 1, stderr: "no space left" };
      if (program === "xl" && args[0] === "list") {
        return { stdout: `cloison.l.www  7  96  1  -b----  2.5 ${PATHS.uuid}  -  -\n` };
      }
      return undefined;
    },
  });
}
const steps = ({ records }: ReturnType<typeof dom0>) =>
  records.flatMap((line) => /copy 7 paused|qemu-img convert.*|tar .*|remove .*/.exec(line)?.[0] ?? []);

test("all of its disk and its memory are in the file, and the domain stands still", async () => {
  const host = dom0();
  await xenPacking.pack(host, WORKSPACE, PLAN, DOMAIN, "/b/l/www.tar.zst");
  expect(steps(host)).toEqual([
    "copy 7 paused",
    "qemu-img convert -q -O qcow2 /b/l/www.tar.zst.parts/above.qcow2 /b/l/www.tar.zst.parts/disk.qcow2",
    "tar --create --zstd --file=/b/l/www.tar.zst --directory=/b/l/www.tar.zst.parts disk.qcow2 memory",
    "remove /b/l/www.tar.zst.parts",
  ]);
});

test.each(["qemu-img", "tar"])("where %s finds no room, nothing is left of what was to be packed", async (program) => {
  const host = dom0(program);
  await expect(xenPacking.pack(host, WORKSPACE, PLAN, DOMAIN, "/b/l/www.tar.zst")).rejects.toThrow("no space left");
  expect(steps(host).at(-1)).toBe("remove /b/l/www.tar.zst.parts");
});
