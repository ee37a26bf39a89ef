import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { createRealHost } from "../../src/host/real.ts";
import type { LabPlan } from "../../src/model/plan.ts";
import { needs } from "../needs.ts";
import { prepareProgram, PROGRAM } from "../sandbox.ts";
import { SABOTAGES } from "./sabotages.ts";

const LAB = `
name: sabotage
platform: namespace
images: { plain: { recipe: plain } }
networks:
  office: { mode: bridge, subnet: 10.81.0.0/24 }
  annex: { mode: bridge, subnet: 10.82.0.0/24, antispoof: false }
  hosted: { mode: routed, lan: office }
  private: { mode: nat, subnet: 10.83.0.0/24, forward: [{ port: 8080, to: "shop:80" }] }
  voice: { mode: vlan, id: 5, subnet: 10.84.0.0/24, backend: openvswitch }
domains:
  desk: { image: plain, nics: [{ network: office, address: dhcp }] }
  clerk: { image: plain, nics: [{ network: office }] }
  dual: { image: plain, nics: [{ network: office, antispoof: false }, { network: annex }] }
  other: { image: plain, nics: [{ network: annex }] }
  site: { image: plain, listen: [80/tcp], nics: [{ network: hosted }] }
  shop: { image: plain, listen: [80/tcp], nics: [{ network: private }] }
  phone: { image: plain, nics: [{ network: voice }] }
`;

const host = createRealHost();
const part = (name: string) => `cloison.sabotage.${name}`;

/** Throws what it printed when it ended otherwise. */
function ended({ code, output }: { code: number | null; output: string }, expected: number): void {
  if (code !== expected) throw new Error(`it ended with ${code}, not ${expected}:\n${output}`);
}

needs(
  "root",
  "netns",
  "nft",
  "dnsmasq",
  "openvswitch",
)("a lab that somebody sabotages", () => {
  const folder = mkdtempSync(join(tmpdir(), "cloison-sabotage-"));
  const env = { CLOISON_STATE: join(folder, "state") };
  let plan: LabPlan;

  const cloison = async (...args: string[]) => {
    const { code, stdout, stderr } = await host.processes.run({ argv: [process.execPath, PROGRAM, ...args], env });
    return { code, stdout, output: stdout + stderr };
  };
  const sabotage = async (deeds: { in: string; sh: string }[]) => {
    for (const deed of deeds) await host.processes.must({ argv: ["sh", "-ec", deed.sh], namespace: part(deed.in) });
  };
  /** Arguments of `verify` for the two; an address stands for its owner. */
  const between = (from: string, to: string) => {
    const owner = plan.endpoints.find(({ interfaces }) => interfaces.some(({ addresses }) => addresses.includes(to)));
    return ["--from", from, "--to", owner?.name ?? to];
  };

  beforeAll(async () => {
    prepareProgram();
    writeFileSync(join(folder, "lab.yaml"), LAB);
    const up = await cloison("--json", "up", join(folder, "lab.yaml"));
    ended(up, 0);
    plan = JSON.parse(up.stdout) as LabPlan;
  });
  // What one test leaves broken must not break the others.
  afterEach(() => cloison("net", "repair", "sabotage"));
  afterAll(async () => {
    await cloison("down", "sabotage");
    rmSync(folder, { recursive: true, force: true });
  });

  test("is as planned, and as verified, before", async () => {
    expect(await cloison("net", "diff", "sabotage")).toMatchObject({
      code: 0,
      stdout: "nothing differs from the plan\n",
    });
    const verified = await cloison("net", "verify", "sabotage");
    ended(verified, 0);
  });

  describe.each(SABOTAGES)("$name", ({ deeds, from, to, size, cause, named, shown }) => {
    test("verify sees it, why names it, diff shows it, repair mends it", async () => {
      const sized = size === undefined ? [] : ["--size", `${size}`];
      await sabotage(deeds(plan));
      const seen = await cloison("net", "verify", "sabotage", ...between(from, to));
      ended(seen, 1);

      const why = await cloison("--json", "net", "why", "sabotage", from, to, ...sized);
      const told = JSON.parse(why.stdout) as { answer: { stop: { cause: string; object: string } }; blame: string[] };
      expect(told.answer.stop.cause).toBe(cause);
      expect([...told.blame, told.answer.stop.object].join("\n")).toMatch(named);

      const diff = await cloison("net", "diff", "sabotage");
      if (shown === null) expect(diff).toMatchObject({ code: 0 });
      else {
        ended(diff, 1);
        expect(diff.output).toMatch(shown);
      }

      const repair = await cloison("net", "repair", "sabotage");
      if (shown === null) await sabotage([{ in: "host", sh: "nft delete table inet evil" }]);
      ended(repair, 0);
      if (shown === null) expect(repair.output).toMatch(/left alone .* table inet evil/);
      const again = await cloison("net", "verify", "sabotage", ...between(from, to));
      ended(again, 0);
      expect(await cloison("net", "diff", "sabotage")).toMatchObject({ code: 0 });
    });
  });

  test("a DHCP server that died is found, and started again", async () => {
    const [pid] = await host.cgroups.pids("cloison/sabotage/lan/dhcp-lan0");
    expect(pid).toBeDefined();
    process.kill(pid!, "SIGKILL");
    const seen = await cloison("net", "verify", "sabotage", "--from", "desk", "--to", "station");
    ended(seen, 1);
    expect(seen.output).toMatch(/the DHCP server on lan0 .* does not run/);
    expect((await cloison("net", "diff", "sabotage")).output).toMatch(/the DHCP server on lan0 .* does not run/);
    expect(await cloison("net", "repair", "sabotage")).toMatchObject({ code: 0 });
    expect(await cloison("net", "diff", "sabotage")).toMatchObject({ code: 0 });
  });

  test("an open connection lives through the repair of something else", async () => {
    const inside = (name: string, program: string) =>
      spawn("nsenter", [`--net=/run/netns/${part(name)}`, process.execPath, "-e", program]);
    const echo = inside(
      "outside",
      "require('net').createServer((s) => s.pipe(s)).listen(7007, () => console.log('listening'))",
    );
    const linesOf = ({ stdout }: typeof echo) => createInterface(stdout)[Symbol.asyncIterator]();
    await linesOf(echo).next();
    const { address } = plan.machines.outside;
    const client = inside(
      "shop",
      `const s = require('net').connect(7007, '${address}'); process.stdin.pipe(s); s.pipe(process.stdout)`,
    );
    try {
      const lines = linesOf(client);
      const say = async (text: string) => {
        client.stdin.write(`${text}\n`);
        return (await lines.next()).value as string;
      };
      expect(await say("before")).toBe("before");
      await sabotage(SABOTAGES.flatMap(({ name, deeds }) => (/vif is down|host route/.test(name) ? deeds(plan) : [])));
      ended(await cloison("net", "repair", "sabotage"), 0);
      expect(await say("after")).toBe("after");
    } finally {
      client.kill();
      echo.kill();
    }
  });

  test("a changed file is applied under running domains, and only what it changes", async () => {
    const before = await cloison("--json", "ps", "sabotage");
    writeFileSync(join(folder, "lab.yaml"), LAB.replace('port: 8080, to: "shop:80"', 'port: 8090, to: "shop:80"'));
    const applied = await cloison("apply", join(folder, "lab.yaml"));
    ended(applied, 0);
    expect(await cloison("net", "diff", "sabotage")).toMatchObject({ code: 0 });
    const why = await cloison("net", "why", "sabotage", "outside", "host:8090");
    ended(why, 0);
    const pids = (text: string) => (JSON.parse(text) as { domain: string; pid: number }[]).map(({ pid }) => pid);
    expect(pids((await cloison("--json", "ps", "sabotage")).stdout)).toEqual(pids(before.stdout));
  });
});
