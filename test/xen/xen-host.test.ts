import { afterAll, beforeAll, expect, test } from "vitest";
import { createRealHost } from "../../src/host/real.ts";
import { needs } from "../needs.ts";
import { createDomain, domainId, pings } from "../xen-host/small-domain.ts";
import { XEN_HOST_NEEDS, startXenHost, stateFolder, type XenHost } from "../xen-host/xen-host.ts";

/** Debian's own script for a vif that is routed to: it sets the address that the host has on it. */
const ROUTED = "script=vif-route,ip=10.0.9.11";

needs(...XEN_HOST_NEEDS)("an emulated machine with Xen", () => {
  let xen: XenHost;
  beforeAll(async () => {
    xen = await startXenHost(createRealHost(), stateFolder());
  }, 600_000);
  afterAll(() => xen?.close());

  test("has Xen's toolstack, and a dom0 whose clock is right", async () => {
    const info = await xen.must("xl info");
    expect(info).toMatch(/^xen_version\s+: 4\./m);
    expect(info).toMatch(/^xen_scheduler\s+: credit2$/m);
    expect(info).toMatch(/^nr_cpus\s+: 2$/m);
    expect(await xen.must("xl list")).toMatch(/^Domain-0 +0 +768 +1 +r/m);
    const lateS = Date.now() / 1000 - Number(await xen.must("date +%s"));
    expect(Math.abs(lateS)).toBeLessThan(30);
  });

  test("leads nowhere: no address but its own answers", async () => {
    const { code } = await xen.run("ip route add default via 10.0.2.2; ping -n -c 1 -W 2 192.0.2.1");
    await xen.must("ip route del default");
    expect(code).not.toBe(0);
  });

  test("has Debian's kernel, with what those of build machines may lack", async () => {
    const made = await xen.run(`set -e
      ip link add br9 type bridge vlan_filtering 1
      ip link add link br9 name br9.5 type vlan id 5
      tc qdisc add dev br9 root netem delay 10ms loss 1%
      ip link del br9`);
    expect(made).toMatchObject({ code: 0 });
  });

  test("runs a paravirtual domain that answers", async () => {
    await createDomain(xen, { name: "one", address: "10.0.9.11/24", vif: ROUTED });
    await xen.must("ip addr add 10.0.9.1/32 dev lo");
    await xen.until(pings("10.0.9.11 -I 10.0.9.1"), 60_000);
    expect(await xen.must("xl list one")).toMatch(/^one +\d+ +96 +1 +[r-]b?/m);
  });

  test("gives it a console, by the terminal that xenstore names", async () => {
    const id = await domainId(xen, "one");
    const terminal = (await xen.must(`xenstore-read /local/domain/${id}/console/tty`)).trim();
    expect(terminal).toMatch(/^\/dev\/pts\/\d+$/);
    // In a subshell: a session's first process would have it as its controlling terminal from then on.
    const said = await xen.must(
      `(exec 3<>${terminal}; printf 'echo it is $((6 * 7)) on $(uname -r)\\n' >&3; timeout 20 grep -m 1 'it is 42' <&3); exit $?`,
    );
    expect(said).toMatch(/it is 42 on \d/);
  });

  test("pauses it, and sets its memory, weight, cap and CPU while it runs", async () => {
    const answers = pings("10.0.9.11 -I 10.0.9.1");
    await xen.must("xl pause one");
    expect((await xen.run(answers)).code).not.toBe(0);
    await xen.must("xl unpause one");
    await xen.until(answers, 30_000);

    await xen.must("xl mem-set one 80");
    await xen.until("xl list one | grep -q ' 80 '", 30_000);
    await xen.must("xl sched-credit2 -d one -w 512 -c 25 && xl vcpu-pin one 0 1");
    expect(await xen.must("xl sched-credit2 -d one")).toMatch(/^one +\d+ +512 +25$/m);
    expect(await xen.must("xl vcpu-list one")).toMatch(/^one .* 1 \/ all$/m);
  });

  test("takes it away, with all that belongs to it", async () => {
    const id = await domainId(xen, "one");
    await xen.must("xl destroy one");
    expect((await xen.run("xl list one")).code).not.toBe(0);
    expect(await xen.must("ls /sys/class/net")).not.toContain(`vif${id}.0`);
    expect((await xen.run(`xenstore-ls /local/domain/0/backend/vif/${id}`)).code).not.toBe(0);
    await xen.until("! losetup --list --noheadings | grep -q one", 10_000);
  });
});
