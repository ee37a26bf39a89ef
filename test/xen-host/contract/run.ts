import { createRealHost } from "../../../src/host/real.ts";
import { ensureMachineForm } from "../../../src/images/machine-form.ts";
import { createContainerPlatform } from "../../../src/platforms/container/container-platform.ts";
import { createNamespacePlatform } from "../../../src/platforms/namespace/namespace-platform.ts";
import { createSharedPlatform } from "../../../src/platforms/shared/shared-platform.ts";
import { createXenPlatform } from "../../../src/platforms/xen/xen-platform.ts";
import { describePlatform, type PlatformUnderTest } from "../../contract/platform-contract.ts";
import { makeSmallRootfs } from "../../system/small-rootfs.ts";
import { runTests } from "./vitest.ts";

/** Runs in dom0: `contract.mjs PLATFORM KERNEL-FOLDER [PART-OF-A-NAME]`; a line of JSON for each test. */
const [name = "", kernel = "", part = ""] = process.argv.slice(2);

const xen: PlatformUnderTest = {
  create: createXenPlatform,
  async makeRootfs(directory) {
    const rootfs = makeSmallRootfs(directory);
    await ensureMachineForm(createRealHost(), {
      name: "small",
      rootfs,
      roomBytes: null,
      kernel: { kernel: `${kernel}/kernel`, initramfs: `${kernel}/initramfs`, version: "" },
      onProgress: () => undefined,
    });
    return rootfs;
  },
  memoryBytes: 96 * 2 ** 20,
  countsThrottling: false,
  async limits({ host, lab }, limits) {
    const domain = `cloison.${lab}.one`;
    const xl = async (...args: string[]) => host.processes.must({ argv: ["xl", ...args] });
    const [, , memory, vcpus] =
      /^(\S+) +\d+ +(\d+) +(\d+) /m.exec((await xl("list", domain)).split("\n")[1] ?? "") ?? [];
    const [, weight, cap] = /^\S+ +\d+ +(\d+) +(\d+)$/m.exec(await xl("sched-credit2", "-d", domain)) ?? [];
    const pinned = /\s(\S+) \/ \S+\s*$/m.exec((await xl("vcpu-list", domain)).split("\n")[1] ?? "")?.[1];
    return {
      found: { memory, vcpus, weight, cap, pinned },
      wanted: {
        memory: String(limits.memoryBytes / 2 ** 20),
        vcpus: "1",
        weight: String(limits.shares / 4),
        cap: String((limits.cpus ?? 0) * 100),
        pinned: "0",
      },
    };
  },
};

const platforms: Record<string, PlatformUnderTest> = {
  xen,
  container: { create: createContainerPlatform, makeRootfs: makeSmallRootfs },
  shared: { create: createSharedPlatform, makeRootfs: makeSmallRootfs },
  namespace: { create: createNamespacePlatform, makeRootfs: null },
};

const under = platforms[name];
if (under === undefined) throw new Error(`no platform ${name}`);
describePlatform(name, { ...under, patience: 10 });

await runTests(
  (outcome) => console.log(JSON.stringify(outcome)),
  (test) => test.includes(part),
);
