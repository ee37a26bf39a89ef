import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createRealHost } from "../../src/host/real.ts";
import type { Guard, Link, NamespaceState, NetworkState, Switch, SwitchPort } from "../../src/model/network-state.ts";
import type { LabContext } from "../../src/lab/context.ts";
import { tearDown } from "../../src/lab/teardown.ts";
import { applyNetwork } from "../../src/netstate/apply.ts";
import { controlSocket, databaseSocket, openFlowSocket, switchInstance } from "../../src/switch/instance.ts";
import { startSwitches, stopSwitches, switchesRun } from "../../src/switch/lifecycle.ts";
import { createSwitchDriver } from "../../src/switch/switch-driver.ts";
import { tryKernelVlan, trySwitch } from "../../src/switch/try-switch.ts";
import { needs } from "../needs.ts";

const LAB = `switch-${process.pid}`;
const RUN = "/run/cloison";
const namespace = (part: string) => `cloison.${LAB}.${part}`;

/** Two sites joined by a trunk, on each a switch, one machine in VLAN 2 and one in VLAN 3. All are in one subnet. */
const SITES = ["a", "b"] as const;
const MACHINES = ["a2", "a3", "b2", "b3"] as const;
type Machine = (typeof MACHINES)[number];
const macOf = (machine: Machine) => `00:16:3e:00:00:${machine}`;
const addressOf = (machine: Machine) => `10.9.0.${machine.replace("a", "1").replace("b", "2")}`;
const address6Of = (machine: Machine) => `fd00::${machine}`;
const guardOf = (machine: Machine): Guard => ({
  mac: macOf(machine),
  addresses: [addressOf(machine), address6Of(machine)],
});

const LOOPBACK: Link = {
  name: "lo",
  kind: "loopback",
  up: true,
  mtu: 65536,
  mac: null,
  master: null,
  peer: null,
  rpsCpus: [],
};
const EMPTY: NamespaceState = {
  links: [],
  addresses: [],
  routes: [],
  neighbours: [],
  sysctls: { "net.ipv6.conf.all.disable_ipv6": "1" },
  tables: {},
};

needs(
  "root",
  "netns",
  "ping",
  "tcpdump",
  "busybox",
  "openvswitch",
)("switches of Open vSwitch", () => {
  const host = createRealHost();
  const scratch = mkdtempSync(join(tmpdir(), "cloison-switch-"));
  const instanceOf = (name: string) => switchInstance(RUN, name, host.machine.cpus.slice(0, 1));
  const driver = createSwitchDriver(instanceOf);
  const siteA = namespace("a");
  const instance = instanceOf(siteA);

  const access = (machine: Machine, guard: Guard | null): SwitchPort => ({
    link: `vif-${machine}`,
    vlan: { access: Number(machine[1]) },
    guard,
  });
  const trunk: SwitchPort = { link: "trunk0", vlan: { trunk: [2, 3] }, guard: null };
  const wantedA: Switch = { name: "sw0", ports: [trunk, access("a2", guardOf("a2")), access("a3", guardOf("a3"))] };
  const wantedB: Switch = { name: "sw0", ports: [trunk, access("b2", null), access("b3", null)] };

  const inside = (part: string, script: string) =>
    host.processes.run({ argv: ["sh", "-ec", script], namespace: namespace(part), timeoutMs: 15_000 });
  const must = async (part: string, script: string) => {
    const { code, stdout, stderr } = await inside(part, script);
    expect(`${code} ${stderr}`, `${part}: ${script}`).toMatch(/^0 /);
    return stdout;
  };
  /**
   * Whether it answers. An address that is being resolved in vain would be asked for once a second only, and a bridge whose first
   * port has just come up may send nothing for a second (net/core/link_watch.c).
   */
  const reaches = async (from: Machine, address: string) =>
    (await inside(from, `ip neighbour flush nud incomplete nud failed; ping -c 1 -w 3 ${address}`)).code === 0;
  const observed = async (name = siteA) => {
    const switches = await driver.observe(host, name);
    return switches.map((one) => ({ ...one, ports: one.ports.toSorted((a, b) => (a.link < b.link ? -1 : 1)) }));
  };

  const makeMachine = async (machine: Machine) => {
    const [site] = machine;
    await must(
      site ?? "",
      `ip link add vif-${machine} type veth peer name eth0 address ${macOf(machine)} netns ${namespace(machine)}
       ip link set vif-${machine} up`,
    );
    await must(
      machine,
      `ip address add ${addressOf(machine)}/24 dev eth0; ip address add ${address6Of(machine)}/64 dev eth0 nodad
       ip link set eth0 up`,
    );
  };

  beforeAll(async () => {
    await host.namespaces.create([...SITES, ...MACHINES].map(namespace));
    for (const machine of MACHINES) await makeMachine(machine);
    await must("a", `ip link add trunk0 type veth peer name trunk0 netns ${namespace("b")}; ip link set trunk0 up`);
    await must("b", "ip link set trunk0 up");
    await driver.apply(host, siteA, [wantedA]);
    await driver.apply(host, namespace("b"), [wantedB]);
  });
  afterAll(async () => {
    for (const site of SITES) await stopSwitches(host, instanceOf(namespace(site)));
    await host.namespaces.remove([...SITES, ...MACHINES].map(namespace));
    await host.files.remove(`${RUN}/${LAB}`);
    rmSync(scratch, { recursive: true });
  });

  test("what was applied is read back the same, and applying it again changes nothing", async () => {
    expect(await observed()).toEqual([wantedA]);
    expect(await observed(namespace("b"))).toEqual([wantedB]);
    expect(await driver.observeUnmodelled(host, siteA)).toEqual([]);
    const changes = `ovs-vsctl --db=unix:${databaseSocket(instance)} get Open_vSwitch . next_cfg`;
    const before = await must("a", changes);
    await driver.apply(host, siteA, [wantedA]);
    expect(await must("a", changes)).toBe(before);
  });

  test("machines of one VLAN reach each other, those of different ones do not", async () => {
    expect(await reaches("a2", addressOf("b2"))).toBe(true);
    expect(await reaches("a3", address6Of("b3"))).toBe(true);
    const others = [
      reaches("a2", addressOf("b3")),
      reaches("a2", addressOf("a3")),
      reaches("b3", address6Of("a2")),
      reaches("b2", address6Of("b3")),
    ];
    expect(await Promise.all(others)).toEqual([false, false, false, false]);
  });

  test("TCP carries data whole, both ways, though senders leave checksums and segmentation to their card", async () => {
    const data = randomBytes(8_000_000);
    const hash = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");
    writeFileSync(join(scratch, "sent"), data);
    for (const [from, to, address] of [
      ["a2", "b2", addressOf("b2")],
      ["b3", "a3", address6Of("a3")],
    ] as const) {
      const received = join(scratch, `received-${to}`);
      const server = inside(to, `exec ${process.execPath} -e '${RECEIVER}' ${received}`);
      await must(from, `exec ${process.execPath} -e '${SENDER}' ${address} ${join(scratch, "sent")}`);
      expect((await server).stderr).toBe("");
      expect(hash(readFileSync(received))).toBe(hash(data));
    }
  });

  test("frames on the trunk carry their VLAN's tag", async () => {
    const capture = inside("b", "exec timeout 5 tcpdump -c 4 -e -n -i trunk0 vlan and icmp 2>/dev/null");
    await host.clock.sleep(500);
    expect(await reaches("a2", addressOf("b2"))).toBe(true);
    expect(await reaches("a3", addressOf("b3"))).toBe(true);
    const seen = (await capture).stdout;
    expect(seen).toMatch(/ethertype 802\.1Q .*vlan 2, .* 10\.9\.0\.12 > 10\.9\.0\.22/);
    expect(seen).toMatch(/ethertype 802\.1Q .*vlan 3, .* 10\.9\.0\.13 > 10\.9\.0\.23/);
    expect(seen.trim().split("\n")).toHaveLength(4);
  });

  describe("a guarded port", () => {
    /** What a2 sends, as b2 sees it. */
    const seenFrom = async (script: string) => {
      const capture = await host.processes.start({
        argv: ["tcpdump", "-l", "-n", "-e", "-i", "eth0"],
        namespace: namespace("b2"),
        timeoutMs: 15_000,
      });
      await host.clock.sleep(500);
      await inside("a2", script);
      // What was sent last has arrived by then: a ping takes less than 1 ms.
      await host.clock.sleep(100);
      capture.kill("SIGTERM");
      return (await capture.exited).stdout;
    };

    test("lets nobody in with another's IP, ARP or MAC address, and lets in what is its own", async () => {
      await must("a2", "ip address add 10.9.0.77/24 dev eth0; ip address add fd00::77/64 dev eth0 nodad");
      const seen = await seenFrom(
        `ip neighbour flush dev eth0; ping -c 1 -W 1 10.9.0.22; ping -c 1 -W 0.5 -I 10.9.0.77 10.9.0.22 || true
         ping -c 1 -W 0.5 -I fd00::77 fd00::b2 || true
         ip neighbour flush dev eth0; ping -c 1 -W 0.5 -I 10.9.0.77 10.9.0.22`,
      );
      expect(seen).toMatch(/10\.9\.0\.12 > 10\.9\.0\.22: ICMP echo request/);
      expect(seen).toMatch(/who-has 10\.9\.0\.22 tell 10\.9\.0\.12/);
      expect(seen).not.toMatch(/10\.9\.0\.77|fd00::77 >/);
      await must("a2", "ip address del 10.9.0.77/24 dev eth0; ip address del fd00::77/64 dev eth0");
      await must("a2", "ip link set eth0 address 00:16:3e:00:00:99");
      expect(await seenFrom("ping -c 1 -W 1 10.9.0.22 || true")).not.toContain("00:16:3e:00:00:99");
      await must("a2", `ip link set eth0 address ${macOf("a2")}`);
      expect(await reaches("a2", addressOf("b2"))).toBe(true);
    });

    test("lets a DHCP client ask from 0.0.0.0", async () => {
      const seen = await seenFrom("busybox udhcpc -i eth0 -f -n -q -t 1 -T 1 -s /bin/true || true");
      expect(seen).toMatch(/00:16:3e:00:00:a2 > ff:ff:ff:ff:ff:ff.*0\.0\.0\.0\.68 > 255\.255\.255\.255\.67: BOOTP/);
    });

    test("tells apart what a guest says of itself and of others", async () => {
      const number = (await must("a", "ip -o link show vif-a2 | cut -d: -f1")).trim();
      const passes = async (frame: string) => {
        const flow = `in_port=${number},dl_src=${macOf("a2")},${frame}`;
        const trace = await must("a", `ovs-appctl -t ${controlSocket(instance)} ofproto/trace sw0 '${flow}'`);
        return !/Datapath actions: drop/.test(trace);
      };
      const arp = (sha: string, spa: string) => `dl_type=0x0806,arp_op=2,arp_sha=${sha},arp_spa=${spa}`;
      expect(await passes(arp(macOf("a2"), addressOf("a2")))).toBe(true);
      expect(await passes(arp(macOf("a2"), "0.0.0.0"))).toBe(true);
      expect(await passes(arp("00:16:3e:00:00:99", addressOf("a2")))).toBe(false);
      expect(await passes(arp(macOf("a2"), "10.9.0.1"))).toBe(false);
      const icmp6 = (source: string, type: number, rest = "") =>
        `icmp6,ipv6_src=${source},ipv6_dst=ff02::1,nw_ttl=255,icmpv6_type=${type},icmpv6_code=0${rest}`;
      const advertises = (source: string, target: string, mac: string) =>
        passes(icmp6(source, 136, `,nd_target=${target},nd_tll=${mac}`));
      expect(await advertises("fd00::a2", "fd00::a2", macOf("a2"))).toBe(true);
      expect(await advertises("fe80::1", "fe80::1", macOf("a2"))).toBe(true);
      expect(await advertises("fd00::a2", "fd00::1", macOf("a2"))).toBe(false);
      expect(await advertises("fd00::a2", "fd00::a2", "00:16:3e:00:00:99")).toBe(false);
      expect(await passes(icmp6("::", 135, ",nd_target=fd00::a2"))).toBe(true);
      expect(await passes(icmp6("fe80::1", 134))).toBe(false);
      expect(await passes(icmp6("fd00::a2", 128))).toBe(true);
      expect(await passes(icmp6("fe80::1", 128))).toBe(false);
    });
  });

  test("a foreign flow is told, and goes with the next change; a lost one is drift", async () => {
    const ofctl = (verb: string, flow = "") =>
      must("a", `ovs-ofctl -O OpenFlow14 ${verb} unix:${openFlowSocket(instance, "sw0")} ${flow}`);
    const number = (await must("a", "ip -o link show vif-a2 | cut -d: -f1")).trim();
    await ofctl("add-flow", `in_port=${number},priority=900,actions=NORMAL`);
    expect(await driver.observeUnmodelled(host, siteA)).toEqual([
      {
        object: `OpenFlow of switch sw0: cookie=0x0,priority=900,in_port=${number},actions=NORMAL`,
        bearsOn: { link: "vif-a2" },
      },
    ]);
    expect(await observed()).toEqual([wantedA]);
    await ofctl("del-flows");
    expect(await observed()).not.toEqual([wantedA]);
    expect(await reaches("a2", addressOf("b2"))).toBe(false);
    await driver.apply(host, siteA, [wantedA]);
    expect(await observed()).toEqual([wantedA]);
    expect(await driver.observeUnmodelled(host, siteA)).toEqual([]);
    expect(await reaches("a2", addressOf("b2"))).toBe(true);
  });

  test("queueing disciplines of others stay, a rate limits, and goes again", async () => {
    const qdisc = () => must("a", "tc qdisc show dev vif-a2");
    await must("a", "tc qdisc replace dev vif-a2 root tbf rate 900mbit burst 256k latency 50ms");
    const without = { ...wantedA, ports: wantedA.ports.filter(({ link }) => link !== "vif-a2") };
    await driver.apply(host, siteA, [without]);
    expect(await observed()).toEqual([without]);
    expect(await reaches("a2", addressOf("b2"))).toBe(false);
    await driver.apply(host, siteA, [wantedA]);
    expect(await qdisc()).toContain("qdisc tbf");

    const limited = {
      ...wantedA,
      ports: wantedA.ports.map((port) => (port.link === "vif-a2" ? { ...port, rateBitsPerSecond: 8_000_000 } : port)),
    };
    await driver.apply(host, siteA, [limited]);
    expect(await observed()).toEqual([limited]);
    writeFileSync(join(scratch, "sent"), randomBytes(1_000_000));
    const startMs = host.clock.monotonicMs();
    const server = inside("a2", `exec ${process.execPath} -e '${RECEIVER}' ${join(scratch, "received")}`);
    await must("b2", `exec ${process.execPath} -e '${SENDER}' ${addressOf("a2")} ${join(scratch, "sent")}`);
    await server;
    // A second's worth of data; without a limit it takes some 10 ms.
    expect(host.clock.monotonicMs() - startMs).toBeGreaterThan(800);

    await driver.apply(host, siteA, [wantedA]);
    expect(await observed()).toEqual([wantedA]);
    expect(await qdisc()).not.toContain("htb");
    expect(await must("a", `ovsdb-client dump unix:${databaseSocket(instance)} Queue`)).not.toContain("max-rate");
  });

  test("a vif that was made anew is drift until it is a port again", async () => {
    const index = () => must("a", "ip -o link show vif-a2 | cut -d: -f1");
    const before = await index();
    await must("a", "ip link del vif-a2");
    expect((await observed())[0]?.ports).toHaveLength(2);
    await makeMachine("a2");
    expect((await observed())[0]?.ports).toHaveLength(2);
    await driver.apply(host, siteA, [wantedA]);
    expect(await reaches("a2", addressOf("b2"))).toBe(true);

    // Also when it comes back with the same number.
    const now = await index();
    expect(now).not.toBe(before);
    await must(
      "a",
      `ip link del vif-a2
       ip link add vif-a2 index ${now.trim()} type veth peer name eth0 address ${macOf("a2")} netns ${namespace("a2")}
       ip link set vif-a2 up`,
    );
    await must("a2", `ip address add ${addressOf("a2")}/24 dev eth0; ip link set eth0 up`);
    expect((await observed())[0]?.ports).toHaveLength(2);
    await driver.apply(host, siteA, [wantedA]);
    expect(await observed()).toEqual([wantedA]);
    expect(await reaches("a2", addressOf("b2"))).toBe(true);
  });

  test("a killed daemon, either, is started again by the next apply, and nothing passes meanwhile", async () => {
    for (const program of ["ovs-vswitchd", "ovsdb-server"]) {
      const pid = Number(readFileSync(`${instance.directory}/${program}.pid`, "utf8"));
      process.kill(pid, "SIGKILL");
      while (await switchesRun(host, instance)) await host.clock.sleep(10);
      expect(await observed()).toEqual([]);
      if (program === "ovs-vswitchd") expect(await reaches("a2", addressOf("b2"))).toBe(false);
      await driver.apply(host, siteA, [wantedA]);
      expect(await observed()).toEqual([wantedA]);
      expect(await reaches("a2", addressOf("b2"))).toBe(true);
    }
  });

  test("it runs on the CPUs and in the control group that it was given, and is let alone when it runs", async () => {
    const before = await host.cgroups.pids(instance.cgroup);
    expect(before).toHaveLength(2);
    for (const pid of before) {
      expect(readFileSync(`/proc/${pid}/status`, "utf8")).toContain(`Cpus_allowed_list:\t${host.machine.cpus[0]}\n`);
    }
    await startSwitches(host, instance);
    expect(await host.cgroups.pids(instance.cgroup)).toEqual(before);
  });

  test("a network state with a switch is applied, read back and repaired like any other", async () => {
    const names = ["middle", "one", "two"].map(namespace);
    const [middle = "", one = "", two = ""] = names;
    const end = (name: string, peer: { namespace: string; name: string }): Link => ({
      name,
      kind: "veth",
      up: true,
      mtu: 1500,
      mac: null,
      master: null,
      peer,
      rpsCpus: [],
    });
    const machine = (name: string, vif: string, address: string): NetworkState => ({
      [name]: {
        ...EMPTY,
        links: [LOOPBACK, { ...end("eth0", { namespace: middle, name: vif }), mac: `00:16:3e:00:01:0${vif.at(-1)}` }],
        addresses: [{ link: "eth0", address, prefix: 24 }],
      },
    });
    const ports = ["vif1", "vif2"].map((link) => ({ link, vlan: { access: 7 }, guard: null }));
    const wanted: NetworkState = {
      [middle]: {
        ...EMPTY,
        links: [
          LOOPBACK,
          end("vif1", { namespace: one, name: "eth0" }),
          end("vif2", { namespace: two, name: "eth0" }),
          { ...end("vlansw0", { namespace: "", name: "" }), kind: "switch-port", up: false, peer: null },
        ],
        switches: [{ name: "vlansw0", ports }],
      },
      ...machine(one, "vif1", "10.9.1.1"),
      ...machine(two, "vif2", "10.9.1.2"),
    };
    await host.namespaces.create(names);
    try {
      const apply = () => applyNetwork(host, wanted, { switches: driver });
      expect((await apply()).map(({ object }) => object)).toContain("switch");
      expect(await apply()).toEqual([]);
      await must("one", "ping -c 1 -W 2 10.9.1.2");
      await must("middle", "ip link del vif2");
      const repaired = await apply();
      expect(repaired.map(({ object }) => object)).toContain("switch");
      await must("one", "ping -c 1 -W 2 10.9.1.2");
      expect(await apply()).toEqual([]);
    } finally {
      await stopSwitches(host, instanceOf(middle));
      await host.namespaces.remove(names);
    }
  });

  test("a wanted port without a link is refused by name, before anything is changed", async () => {
    const lost = { ...wantedA, ports: [...wantedA.ports, { ...trunk, link: "nowhere0" }] };
    await expect(driver.apply(host, siteA, [lost])).rejects.toThrow("nowhere0");
    expect(await observed()).toEqual([wantedA]);
  });

  test("without switches nothing of it is left: no process, group, file, interface", async () => {
    await driver.apply(host, siteA, []);
    expect(await switchesRun(host, instance)).toBe(false);
    expect(await host.cgroups.children(`cloison/${LAB}`)).toEqual(["switch.b"]);
    expect(await host.files.kind(instance.directory)).toBeNull();
    expect(await must("a", "ip -o link")).not.toMatch(/sw0|ovs/);
    await stopSwitches(host, instance);
  });

  test("down removes an instance that nobody stopped", async () => {
    const left = instanceOf(namespace("b"));
    expect(await switchesRun(host, left)).toBe(true);
    const unused = () => Promise.reject(new Error("nothing is started here"));
    const paths = { state: join(scratch, "state"), run: RUN };
    const context = { host, paths, platforms: {} as LabContext["platforms"], pid: process.pid, startWebServer: unused };
    await tearDown(context, LAB);
    expect(await host.cgroups.pids(left.cgroup)).toEqual([]);
    expect(await host.cgroups.children("cloison")).not.toContain(LAB);
    expect(await host.files.kind(`${RUN}/${LAB}`)).toBeNull();
    expect((await host.namespaces.list()).filter((name) => name.startsWith(namespace("")))).toEqual([]);
  });

  test("whether it works here is found by trying, and the trial leaves nothing", async () => {
    expect(await trySwitch(host, RUN)).toContain("carried a ping and TCP");
    const [vlan] = await Promise.allSettled([tryKernelVlan(host)]);
    expect(vlan.status === "fulfilled" ? vlan.value : String(vlan.reason)).toMatch(/802\.1Q sub-interface/);
    expect((await host.namespaces.list()).filter((name) => name.startsWith("cloison._check"))).toEqual([]);
    expect((await host.cgroups.children("cloison")).filter((name) => name.startsWith("_check"))).toEqual([]);
  });
});

/** Writes what one client sends to the file, and ends. */
const RECEIVER =
  'const s=require("net").createServer(c=>c.pipe(require("fs").createWriteStream(process.argv[1])).on("finish",()=>process.exit()));s.listen(5000,"::");setTimeout(()=>{console.error("nothing came");process.exit(1)},10000)';
/** Sends the file to the address, once somebody listens there. */
const SENDER =
  'const go=n=>{const c=require("net").connect(5000,process.argv[1]);c.on("error",()=>n>0?setTimeout(go,100,n-1):process.exit(1));c.on("connect",()=>require("fs").createReadStream(process.argv[2]).pipe(c).on("close",()=>process.exit()))};go(30)';
