import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { DomainRow } from "../../src/app/inspect.ts";
import type { WatchEvent } from "../../src/app/watch.ts";
import type { KernelSnapshot } from "../kernel-snapshot.ts";
import { LAB_NEEDS, needs } from "../needs.ts";
import { createSandbox, prepareProgram, PROGRAM, type Ended, type Sandbox } from "../sandbox.ts";

const lab = (platform: string) => `
name: watched
platform: ${platform}
images: { plain: { recipe: plain } }
networks:
  lan: { subnet: 10.78.0.0/24 }
domains:
  one: { image: plain, memory: 128M, pids: 64, services: [], nics: [{ network: lan, address: dhcp }] }
`;

/** A domain may have to boot. */
const PATIENT = { timeout: 90_000, interval: 300 };

for (const platform of ["container", "qemu"]) {
  const needed = platform === "qemu" ? (["qemu", "busybox", "apt"] as const) : [];
  needs(...LAB_NEEDS, ...needed)(`a watched lab of platform ${platform}`, () => {
    let sandbox: Sandbox;
    let before: KernelSnapshot;
    let watch: ReturnType<Sandbox["start"]>;
    let lines = "";

    beforeAll(async () => {
      prepareProgram();
      sandbox = await createSandbox();
      before = sandbox.snapshot();
      const file = join(sandbox.folder, "lab.yaml");
      writeFileSync(file, lab(platform));
      succeed("up", file);
      await begin();
    });
    afterAll(async () => {
      watch.child.kill("SIGINT");
      succeed("down", "watched");
      const after = sandbox.snapshot();
      await sandbox.close();
      expect(after).toEqual(before);
    });

    const succeed = (...args: string[]) => sandbox.succeed(...args);
    async function begin(): Promise<void> {
      lines = "";
      watch = sandbox.start([process.execPath, PROGRAM, "watch", "watched", "--json"]);
      watch.child.stdout?.on("data", (text: string) => (lines += text));
      await vi.waitFor(() => expect(events()).toContain("watching"), PATIENT);
    }
    const told = () =>
      lines
        .split("\n")
        .slice(0, -1)
        .map((line) => JSON.parse(line) as WatchEvent);
    const events = () => told().map(({ event }) => event);
    const row = () => (JSON.parse(succeed("ps", "watched", "--json")) as DomainRow[])[0];
    const inside = (script: string) => succeed("exec", "watched", "one", "--", "sh", "-ec", script);
    const kill = () => expect(sandbox.run(["kill", "-KILL", `${row()?.pid}`]).code).toBe(0);

    test("what was killed is started again, on its disk, with its address", async () => {
      inside("echo mine >/root/file; sync");
      const { pid } = row() ?? {};
      kill();
      await vi.waitFor(() => expect(events()).toEqual(["watching", "died", "restarted"]), PATIENT);
      expect(row()?.state).toBe("running");
      expect(row()?.pid).not.toBe(pid);
      expect(inside("cat /root/file")).toBe("mine\n");
      const ping = ["nsenter", "--net=/run/netns/cloison.watched.station", "ping", "-c1", "-W5", "10.78.0.11"];
      expect(sandbox.run(ping).code).toBe(0);
    });

    test("while another command holds the lab nothing is done", async () => {
      const { child, ended } = sandbox.start(["flock", "--no-fork", "/run/cloison/locks/watched.lock", "sleep", "60"]);
      kill();
      const counted = told().length;
      // Long enough to be seen, and started again.
      await new Promise((resolve) => setTimeout(resolve, 5000));
      expect(told()).toHaveLength(counted);
      expect(row()?.state).toBe("stopped");
      child.kill("SIGTERM");
      await ended;
      await vi.waitFor(() => expect(events().slice(counted)).toEqual(["died", "restarted"]), PATIENT);
    });

    // A container has no kernel to panic, and no power button.
    for (const machine of platform === "qemu" ? ["one"] : []) {
      test("a panic is a death; what its user shuts down stays so", async () => {
        const before = told().length;
        sandbox.cloison("exec", "watched", machine, "--", "sh", "-c", "echo c >/proc/sysrq-trigger");
        await vi.waitFor(() => expect(events().slice(before)).toEqual(["died", "restarted"]), PATIENT);
        expect(JSON.stringify(told()[before])).toMatch(/"detail":"its kernel panicked/);
        succeed("shutdown", "watched", machine);
        await new Promise((resolve) => setTimeout(resolve, 4000));
        expect(told()).toHaveLength(before + 2);
        expect(row()?.state).toBe("stopped");
      });
    }

    test("it ends by Ctrl-C, and with the lab", async () => {
      watch.child.kill("SIGINT");
      expect(await watch.ended).toMatchObject({ code: 0 } satisfies Partial<Ended>);
      await begin();
      succeed("down", "watched");
      expect((await watch.ended).code).toBe(0);
      expect(events()).toEqual(["watching", "gone"]);
    });
  });
}
