import { createRealHost } from "../../../src/host/real.ts";
import { ensureMachineForm } from "../../../src/images/machine-form.ts";
import { createXenPlatform } from "../../../src/platforms/xen/xen-platform.ts";
import { describePlatform } from "../../contract/platform-contract.ts";
import { makeSmallRootfs } from "../../system/small-rootfs.ts";
import { runTests } from "./vitest.ts";

/** Runs in dom0: `run.cjs KERNEL-FOLDER [PART-OF-A-NAME]`; a line of JSON for each test. */
const [kernel = "", part = ""] = process.argv.slice(2);

describePlatform("xen", {
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
  async limits({ host, lab }) {
    const name = `cloison.${lab}.one`;
    const xl = async (...args: string[]) => host.processes.must({ argv: ["xl", ...args] });
    const [, , memory, vcpus] = /^(\S+) +\d+ +(\d+) +(\d+) /m.exec((await xl("list", name)).split("\n")[1] ?? "") ?? [];
    const [, weight, cap] = /^\S+ +\d+ +(\d+) +(\d+)$/m.exec(await xl("sched-credit2", "-d", name)) ?? [];
    const pinned = /\s(\S+) \/ \S+\s*$/m.exec((await xl("vcpu-list", name)).split("\n")[1] ?? "")?.[1];
    return {
      found: { memory, vcpus, weight, cap, pinned },
      wanted: { memory: "96", vcpus: "1", weight: "128", cap: "50", pinned: "0" },
    };
  },
});

await runTests(
  (outcome) => console.log(JSON.stringify(outcome)),
  (name) => name.includes(part),
);
