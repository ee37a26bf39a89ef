import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { DomainRow } from "../../src/app/inspect.ts";
import type { Moved } from "../../src/app/move/move.ts";
import { createRealHost } from "../../src/host/real.ts";
import { needs } from "../needs.ts";
import type { Ended } from "../sandbox.ts";
import { bringGuests, smallArchive } from "../xen-host/guests.ts";
import { bringProgram } from "../xen-host/program.ts";
import { XEN_HOST_NEEDS, startXenHost, stateFolder, type XenHost } from "../xen-host/xen-host.ts";

const THERE = "ssh://root@10.212.0.2";

const LAB = `
name: roam
platform: xen
images: {}
networks:
  lan: { subnet: 10.80.0.0/24, uplink: trunk, gateway: 10.80.0.254 }
domains:
  one: { image: small, memory: 96M, pids: 64, disk: 64M }
  two: { image: small, memory: 96M, pids: 64 }
`;

/** Both machines' second cards are one wire; a lab's uplink is a port of it. $1: number of the machine. */
const PLUG = `set -e
ip link set eth1 address 02:00:00:00:00:0$1 up
ip link add wire type bridge
ip link set wire up
ip link set eth1 master wire
ip link add trunk type veth peer name plug
ip link set plug master wire up
ip link set trunk up
ip address add 10.212.0.$1/24 dev wire`;

const COUNT = "i=0; while :; do i=$((i + 1)); echo $i >/count; sleep 0.2; done";

/** Emulated machines are no measure of time. */
needs(
  ...XEN_HOST_NEEDS,
  "busybox",
  "tini",
)("a domain of Xen goes from one host to another", () => {
  const folder = mkdtempSync(join(tmpdir(), "cloison-wire-"));
  let here: XenHost;
  let there: XenHost;
  let cloison: (command: string, timeoutMs?: number) => Promise<Ended>;
  const succeed = async (command: string) => {
    const { code, stdout, stderr } = await cloison(command, 600_000);
    if (code !== 0) throw new Error(`cloison ${command} ended with ${code}: ${stdout}${stderr}`);
    return stdout;
  };
  const inside = (script: string) => succeed(`exec roam one -- sh -c '${script}'`);
  const one = async () => (JSON.parse(await succeed("ps roam --json")) as DomainRow[])[0];
  const domains = (xen: XenHost) => xen.must("xl list | tail -n +3 | cut -d' ' -f1; ip netns list");

  beforeAll(async () => {
    const wire = join(folder, "wire");
    here = await startXenHost(createRealHost(), stateFolder(), { wire: { path: wire, end: "waits" } });
    there = await startXenHost(createRealHost(), stateFolder(), { wire: { path: wire, end: "connects" } });
    const small = smallArchive();
    await bringGuests(there, await bringProgram(there), small);
    cloison = await bringProgram(here);
    await bringGuests(here, cloison, small);
    for (const [i, xen] of [here, there].entries()) await xen.must(`set -- ${i + 1}; ${PLUG}`);
    // Both have been booted as one.
    const key = await here.must(`mkdir -p /root/.ssh; ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519
      ssh-keyscan -t ed25519 10.212.0.2 >/root/.ssh/known_hosts 2>/dev/null
      cat /root/.ssh/id_ed25519.pub`);
    appendFileSync(join(there.brought, "authorized_keys"), key);
    writeFileSync(join(here.brought, "roam.yaml"), LAB);
    await succeed("up /brought/roam.yaml");
    await inside(`echo mine >/root/file; (${COUNT}) </dev/null >/dev/null 2>&1 &`);
  }, 900_000);
  afterAll(async () => {
    await there?.close();
    await here?.close();
    rmSync(folder, { recursive: true });
  });

  /** It is the same kernel that goes on, with what it had in memory only. */
  async function goesOn(to: string) {
    const life = "cat /proc/sys/kernel/random/boot_id /root/file";
    const before = await inside(life);
    const count = Number(await inside("cat /count"));
    const moved = JSON.parse(await succeed(`move roam one --to ${to} --json`)) as Moved;
    expect(moved).toMatchObject({ domain: "one", host: to, silence: { unanswered: null } });
    expect(await inside(life)).toBe(before);
    expect(Number(await inside("cat /count"))).toBeGreaterThan(count);
    const station = "ip netns exec cloison.roam.station";
    await here.until(`${station} ping -c 1 -W 5 10.80.0.11 && ${station} ping -c 1 -W 5 10.80.0.12`, 60_000);
  }

  test("there, with its memory, disk and address", async () => {
    await goesOn(THERE);
    expect(await one()).toMatchObject({ state: "moved", detail: `it is on ${THERE}` });
    expect(await domains(there)).toContain("cloison.roam.one");
    expect(await domains(here)).not.toContain("cloison.roam.one");
  });

  test("stays where it is, when the command that brings it back is killed", async () => {
    await here.must(
      "cd /opt/cloison; ./node dist/cloison.cjs move roam one --to local </dev/null >/dev/null 2>&1 & echo $! >/run/moves",
    );
    await there.until("xl list | grep 'roam.one .* --p---'", 120_000);
    await here.must("kill -KILL $(cat /run/moves)");
    // The next command decides; while it was being copied, it stays.
    expect(await one()).toMatchObject({ state: "moved", detail: `it is on ${THERE}` });
    const count = Number(await inside("cat /count"));
    await here.must("sleep 1");
    expect(Number(await inside("cat /count"))).toBeGreaterThan(count);
    expect(await domains(there)).toContain("cloison.roam.one");
    expect(await domains(here)).not.toContain("cloison.roam.one");
  });

  test("and here again, and nothing of it stays there", async () => {
    await goesOn("local");
    expect(await one()).toMatchObject({ state: "running" });
    expect(await domains(there)).toBe("");
    await succeed("down roam");
    expect(await domains(here)).toBe("");
  });
});
