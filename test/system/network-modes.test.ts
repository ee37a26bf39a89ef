import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseLab } from "../../src/files/lab-file.ts";
import { createRealHost } from "../../src/host/real.ts";
import type { Recipe } from "../../src/model/image.ts";
import type { LabPlan } from "../../src/model/plan.ts";
import { applyNetwork } from "../../src/netstate/apply.ts";
import { formatChange } from "../../src/netstate/change.ts";
import { planLab } from "../../src/plan/plan.ts";
import { needs } from "../needs.ts";

const recipe: Recipe = { base: "minbase", packages: [], files: {}, commands: [], services: {} };
const host = createRealHost();

/** The plan of an example, under a name of its own, with every address set by us: there is no DHCP server here. */
function planOf(example: string): LabPlan {
  const url = new URL(`../../examples/networks/${example}.yaml`, import.meta.url);
  const text = readFileSync(url, "utf8").replace(/^name: .*$/m, `name: m${process.pid}-${example}`);
  return planLab(parseLab(example, text.replaceAll(", address: dhcp", "")), {
    platform: { name: "namespace", merges: false },
    cpus: host.machine.cpus,
    recipeOf: () => recipe,
    uniteRecipes: () => recipe,
    siteFiles: () => ({}),
  });
}

/** TTL with which a ping's answer comes; null: none comes within a second. */
async function ping(plan: LabPlan, from: string, address: string): Promise<number | null> {
  const namespace = `cloison.${plan.lab}.${from}`;
  const { stdout } = await host.processes.run({
    argv: ["ping", "-n", "-c", "1", "-W", "1", address],
    namespace,
    timeoutMs: 5000,
  });
  const ttl = /ttl=(\d+)/.exec(stdout)?.[1];
  return ttl === undefined ? null : Number(ttl);
}

const inside = (plan: LabPlan, part: string, command: string) =>
  host.processes.must({ argv: ["sh", "-ec", command], namespace: `cloison.${plan.lab}.${part}`, timeoutMs: 10_000 });

/** The network of an example on this kernel, for as long as the tests of its group run. */
function withNetwork(example: string): LabPlan {
  const plan = planOf(example);
  const namespaces = Object.keys(plan.network);
  beforeAll(async () => {
    await host.namespaces.create(namespaces);
    await applyNetwork(host, plan.network, { fresh: namespaces });
  });
  afterAll(() => host.namespaces.remove(namespaces));

  test("is read back as it was planned: a second apply does nothing", async () => {
    expect((await applyNetwork(host, plan.network)).map((change) => formatChange(change))).toEqual([]);
  });
  return plan;
}

needs(
  "root",
  "netns",
  "nft",
  "ping",
)("the network modes on a real kernel", () => {
  describe("bridge", () => {
    const plan = withNetwork("bridge");

    test("guests are machines of the LAN, for IPv4 and IPv6", async () => {
      expect(await ping(plan, "station", "10.23.0.11")).toBe(64);
      expect(await ping(plan, "web", "10.23.0.12")).toBe(64);
      expect(await ping(plan, "station", "fd00:23::b")).toBe(64);
    });

    test("a guest that takes another's address is not heard, with either family", async () => {
      await inside(plan, "web", "ip addr add 10.23.0.77/24 dev eth0; ip addr add fd00:23::77/64 dev eth0 nodad");
      const heard = "! ping -n -c 1 -W 1 -I";
      await inside(plan, "web", `${heard} 10.23.0.77 10.23.0.1 && ${heard} fd00:23::77 fd00:23::1`);
      // What is still asked for with that address would be waited for.
      await inside(
        plan,
        "web",
        "ip addr del 10.23.0.77/24 dev eth0; ip addr del fd00:23::77/64 dev eth0; ip neigh flush dev eth0",
      );
      expect(await ping(plan, "web", "10.23.0.1")).toBe(64);
    });
  });

  describe("routed", () => {
    const plan = withNetwork("routed");

    test("the host answers ARP for its guests with its own MAC, and takes one off the TTL", async () => {
      expect(await ping(plan, "station", "10.23.0.11")).toBe(63);
      expect(await ping(plan, "web", "10.23.0.12")).toBe(63);
      expect(await ping(plan, "station", "fd00:23::b")).toBe(63);
      const mac = plan.endpoints.find(({ name }) => name === "host")?.interfaces[0]?.mac;
      expect(await inside(plan, "station", "ip neigh show 10.23.0.11")).toContain(` ${mac} `);
    });

    test("nobody answers for an address that no guest has", async () => {
      expect(await ping(plan, "station", "10.23.0.99")).toBeNull();
    });
  });

  describe("NAT and isolated", () => {
    const plan = withNetwork("nat");
    const hostAddress = plan.targets["web"]?.address ?? "";

    test("guests reach out, and nobody reaches in, even with a route", async () => {
      expect(await ping(plan, "client", "10.23.0.253")).toBe(63);
      await inside(plan, "outside", `ip route add 10.200.0.0/24 via ${hostAddress}`);
      expect(await ping(plan, "outside", "10.200.0.11")).toBeNull();
      expect(await ping(plan, "guest1", "10.200.0.11")).toBeNull();
    });

    test("isolated ports keep guests apart, also by way of the gateway", async () => {
      expect(await ping(plan, "guest1", "10.201.0.1")).toBe(64);
      expect(await ping(plan, "guest1", "10.201.0.14")).toBeNull();
      await inside(plan, "guest1", "ip route add 10.201.0.14/32 via 10.201.0.1");
      expect(await ping(plan, "guest1", "10.201.0.14")).toBeNull();
    });

    test("nothing leaves an isolated network, whatever its guests' routes say, and the host has no part in it", async () => {
      expect(await ping(plan, "safe1", "10.202.0.16")).toBe(64);
      const bridgeMac = plan.network[plan.hostNamespace]?.links.find(({ name }) => name === "isobr0")?.mac;
      await inside(
        plan,
        "safe1",
        `ip route add default dev eth0; for a in 10.23.0.253 ${hostAddress}; do ip neigh add $a lladdr ${bridgeMac} dev eth0; done`,
      );
      expect(await ping(plan, "safe1", "10.23.0.253")).toBeNull();
      expect(await ping(plan, "safe1", hostAddress)).toBeNull();
    });

    needs("busybox")("with a server", () => {
      test("a forwarded port leads in from outside, from the host and from the guests themselves", async () => {
        const server = await host.processes.start({
          argv: ["timeout", "20", "sh", "-c", "while :; do busybox nc -l -p 80 -e echo here || sleep 0.1; done"],
          namespace: `cloison.${plan.lab}.web`,
        });
        try {
          for (const from of ["outside", "host", "client", "web", "guest1"]) {
            const ask = `for i in 1 2 3 4 5 6 7 8 9; do busybox nc -w 2 ${hostAddress} 8080 </dev/null && break; sleep 0.1; done`;
            expect(`${from}: ${await inside(plan, from, ask)}`).toBe(`${from}: here\n`);
          }
        } finally {
          server.kill("SIGKILL");
          await server.exited;
        }
      });
    });
  });

  describe("two interfaces", () => {
    const plan = withNetwork("two-nics");

    test("a domain on two networks joins them for itself only", async () => {
      expect(await ping(plan, "front", "10.99.0.12")).toBe(64);
      expect(await ping(plan, "store", "10.99.0.11")).toBe(64);
      expect(await ping(plan, "station", "10.23.0.11")).toBe(64);
      await inside(plan, "store", "ip route add default via 10.99.0.11");
      expect(await ping(plan, "store", "10.23.0.254")).toBeNull();
    });
  });
});
