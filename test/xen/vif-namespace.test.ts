import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createRealHost } from "../../src/host/real.ts";
import { needs } from "../needs.ts";
import { createDomain, domainId, pings } from "../xen-host/small-domain.ts";
import { XEN_HOST_NEEDS, startXenHost, stateFolder, type XenHost } from "../xen-host/xen-host.ts";

/**
 * A vif script of ours. xl runs it with XENBUS_PATH and vif in its environment, and `online` or `offline`; netback connects when
 * hotplug-status says so. It moves the vif out of sight, and renames it on the way: no other vif of that name is in its way.
 */
const placing = (namespace: string, name: string) => `#!/bin/sh
set -e
if [ "$1" = online ]; then
  ip link set "$vif" netns ${namespace} name ${name}
  ip -n ${namespace} addr replace 10.0.9.1/24 dev ${name}
  ip -n ${namespace} link set ${name} up
  xenstore-write "$XENBUS_PATH/hotplug-status" connected
fi
`;

/** Only says that all is done: somebody else places the vif. */
const REPORTING = `#!/bin/sh
[ "$1" != online ] || xenstore-write "$XENBUS_PATH/hotplug-status" connected
`;

needs(...XEN_HOST_NEEDS)("a vif outside of dom0's own namespace", () => {
  let xen: XenHost;
  const script = (name: string, text: string) => {
    writeFileSync(join(xen.brought, name), text, { mode: 0o755 });
    return `script=/brought/${name}`;
  };
  const links = async (namespace: string) =>
    (await xen.must(`ip -n ${namespace} -o link | sed -n 's/^[0-9]*: \\([^:@]*\\).*/\\1/p'`)).trim().split("\n");
  const backends = () => xen.must("xenstore-list /local/domain/0/backend/vif 2>/dev/null || true");

  beforeAll(async () => {
    xen = await startXenHost(createRealHost(), stateFolder());
    await xen.must("for lab in lab1 lab2; do ip netns add $lab; ip -n $lab link set lo up; done");
  }, 600_000);
  afterAll(() => xen?.close());

  test("is put there by a script of ours, under a name of the lab's, and goes with its domain", async () => {
    await createDomain(xen, { name: "one", address: "10.0.9.11/24", vif: script("one", placing("lab1", "vif1.0")) });
    await xen.until(pings("10.0.9.11", "lab1"), 60_000);
    expect(await links("lab1")).toEqual(["lo", "vif1.0"]);
    expect(await xen.must("ls /sys/class/net")).not.toMatch(/vif/);

    expect(await xen.must("xl destroy one 2>&1")).toBe("");
    expect(await links("lab1")).toEqual(["lo"]);
    expect(await backends()).toBe("");
  });

  test("two labs each have a vif1.0, with the same addresses", async () => {
    for (const [name, lab] of [
      ["one", "lab1"],
      ["two", "lab2"],
    ] as const) {
      await createDomain(xen, { name, address: "10.0.9.11/24", vif: script(name, placing(lab, "vif1.0")) });
    }
    await xen.until(`${pings("10.0.9.11", "lab1")} && ${pings("10.0.9.11", "lab2")}`, 90_000);
    await xen.must("xl destroy one");
    expect([await links("lab1"), await links("lab2")]).toEqual([["lo"], ["lo", "vif1.0"]]);
    await xen.must(pings("10.0.9.11", "lab2"));
  });

  test("survives that its domain is saved and restored under another number", async () => {
    const before = await domainId(xen, "two");
    await xen.must("xl save two /srv/two.saved && xl restore /srv/two.saved", { timeoutMs: 120_000 });
    expect(await domainId(xen, "two")).not.toBe(before);
    await xen.until(pings("10.0.9.11", "lab2"), 30_000);
    expect(await links("lab2")).toEqual(["lo", "vif1.0"]);
  });

  test("is back after a reboot of its domain", async () => {
    const before = await domainId(xen, "two");
    await xen.must("xl reboot two", { timeoutMs: 60_000 });
    await xen.until(`test "$(xl domid two)" -ne ${before}`, 60_000);
    await xen.until(pings("10.0.9.11", "lab2"), 90_000);
    expect(await links("lab2")).toEqual(["lo", "vif1.0"]);
  });

  test("can be pulled out of its running domain, and put in again", async () => {
    await xen.must("xl network-detach two 0", { timeoutMs: 60_000 });
    await xen.until("! ip -n lab2 link show vif1.0 2>/dev/null", 10_000);
    await xen.must("xl network-attach two mac=00:16:3e:00:00:0b script=/brought/two", { timeoutMs: 60_000 });
    expect(await links("lab2")).toEqual(["lo", "vif1.0"]);
  });

  test("is thrown back into dom0's namespace when the lab's is removed, and its domain can still be destroyed", async () => {
    await xen.must("ip netns del lab2");
    await xen.until("ls /sys/class/net | grep -q vif", 10_000);
    expect(await xen.must("xl destroy two 2>&1")).toBe("");
    expect(await xen.must("ls /sys/class/net")).not.toMatch(/vif/);
    expect(await backends()).toBe("");
  });

  test("can be moved by somebody else when it is connected already", async () => {
    await createDomain(xen, { name: "three", address: "10.0.9.11/24", vif: script("three", REPORTING) });
    const vif = `vif${await domainId(xen, "three")}.0`;
    const connected = `test "$(xenstore-read /local/domain/0/backend/vif/${vif.slice(3, -2)}/0/state)" = 4`;
    await xen.until(connected, 60_000);
    await xen.must(`ip link set ${vif} netns lab1 name vif1.0`);
    await xen.must("ip -n lab1 addr add 10.0.9.1/24 dev vif1.0 && ip -n lab1 link set vif1.0 up");
    await xen.until(pings("10.0.9.11", "lab1"), 60_000);
    expect(await xen.must("xl destroy three 2>&1")).toBe("");
    expect(await links("lab1")).toEqual(["lo"]);
    expect(await backends()).toBe("");
  });

  test("a script that fails is told, and nothing of the domain is left", async () => {
    const failing = script("failing", "#!/bin/sh\nexit 1\n");
    await expect(createDomain(xen, { name: "four", address: "10.0.9.11/24", vif: failing })).rejects.toThrow(
      /vif|hotplug/i,
    );
    expect((await xen.run("xl list four")).code).not.toBe(0);
    expect(await backends()).toBe("");
  });
});
