import { appendFileSync, existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import type { DomainRow } from "../../src/app/inspect.ts";
import type { Snapshot } from "../../src/app/snapshots.ts";
import type { KernelSnapshot } from "../kernel-snapshot.ts";
import { LAB_NEEDS, needs } from "../needs.ts";
import { createSandbox, prepareProgram, PROGRAM, type Sandbox } from "../sandbox.ts";

/** A domain that counts in a file, ten times a second, and one whose layer is a file system of its own. */
const LAB = `
name: kept
images:
  plain:
    recipe: plain
    services:
      counter: { command: [sh, -c, "n=$(cat /count || echo 0); while :; do n=$((n+1)); echo $n >/count; sleep 0.1; done"] }
networks:
  lan: { subnet: 10.78.0.0/24 }
domains:
  one: { image: plain, memory: 64M, pids: 64 }
  two: { image: plain, memory: 64M, pids: 64, disk: 32M, services: [] }
`;

needs(...LAB_NEEDS)("snapshots of containers", () => {
  let sandbox: Sandbox;
  let before: KernelSnapshot;
  let file = "";

  beforeAll(async () => {
    prepareProgram();
    sandbox = await createSandbox();
    before = sandbox.snapshot();
    file = join(sandbox.folder, "lab.yaml");
    writeFileSync(file, LAB);
    succeed("up", file);
  });
  afterAll(async () => {
    succeed("snapshot", "remove", "kept", "one", "good");
    succeed("down", "kept");
    const after = sandbox.snapshot();
    await sandbox.close();
    expect(after).toEqual(before);
  });

  const succeed = (...args: string[]) => sandbox.succeed(...args);
  const inside = (domain: string, script: string) => succeed("exec", "kept", domain, "--", "sh", "-ec", script);
  const count = (domain = "one") => Number(inside(domain, "cat /count"));
  const pid = (domain: string) =>
    (JSON.parse(succeed("ps", "kept", "--json")) as DomainRow[]).find((row) => row.domain === domain)?.pid;
  const data = (name: string) => join(sandbox.state, "snapshots/kept/one", name);

  test("what was written, changed and deleted goes back; the counter goes on from where it was", async () => {
    inside("one", "echo mine >/root/file; rm /etc/motd; chown 1234:1234 /root/file; mkdir -p /opt/a; ln -s a /opt/b");
    inside("one", "rm -r /usr/share/doc; mkdir /usr/share/doc; echo new >/usr/share/doc/new");
    const runs = pid("one");
    const atLeast = count();
    const made = JSON.parse(
      succeed("snapshot", "create", "kept", "one", "good", "--json", "--comment", "x"),
    ) as Snapshot;
    expect(made).toMatchObject({ lab: "kept", domain: "one", name: "good", platform: "container", comment: "x" });
    expect(made.bytes).toBeGreaterThan(100);
    expect(pid("one")).toBe(runs);
    const atMost = count();
    await vi.waitFor(() => expect(count()).toBeGreaterThan(atMost + 3), { timeout: 5000 });

    inside("one", "echo other >/root/file; echo back >/etc/motd; rm /opt/b; echo 100000 >/count");
    expect(succeed("snapshot", "restore", "kept", "one", "good")).toMatch(/^domain one is as it was at /);
    expect(pid("one")).not.toBe(runs);
    const facts =
      "cat /root/file; stat -c %u:%g /root/file; readlink /opt/b; ls /usr/share/doc; ls /etc/motd || echo gone";
    expect(inside("one", facts)).toBe("mine\n1234:1234\na\nnew\ngone\n");
    const now = count();
    expect(now).toBeGreaterThanOrEqual(atLeast);
    expect(now).toBeLessThan(atMost + 200);
    expect(succeed("net", "diff", "kept")).toBe("nothing differs from the plan\n");
  });

  test("a layer of limited size keeps its limit, and stands in its own file system", () => {
    inside("two", "head -c 3M /dev/zero >/big");
    succeed("snapshot", "create", "kept", "two", "small");
    inside("two", "rm /big");
    succeed("snapshot", "restore", "kept", "two", "small");
    expect(inside("two", "stat -c %s /big")).toBe("3145728\n");
    expect(sandbox.cloison("exec", "kept", "two", "--", "sh", "-c", "head -c 64M /dev/urandom >/full").stderr).toMatch(
      /No space left/,
    );
  });

  test("are listed, and removed, also when the lab is not up", () => {
    succeed("snapshot", "create", "kept", "one");
    const names = (JSON.parse(succeed("snapshot", "list", "kept", "one", "--json")) as Snapshot[]).map(
      (one) => one.name,
    );
    expect(names).toEqual(["good", expect.stringMatching(/^s\d{8}-\d{6}$/)]);
    succeed("snapshot", "remove", "kept", "one", names[1] ?? "");
    expect(succeed("snapshot", "list")).toMatch(
      /^LAB +DOMAIN +SNAPSHOT .*\nkept +one +good .*\nkept +two +small .*\n$/,
    );
    succeed("down", "kept");
    expect(succeed("snapshot", "list", "kept", "two")).toMatch(/small/);
    succeed("snapshot", "remove", "kept", "two", "small");
    succeed("up", file);
    succeed("snapshot", "restore", "kept", "one", "good");
    expect(inside("one", "cat /root/file")).toBe("mine\n");
  });

  test("one that is cut off by kill -9 is none, and its domain goes on", async () => {
    inside("one", "head -c 40M /dev/urandom >/large");
    const { child, ended } = sandbox.start([process.execPath, PROGRAM, "snapshot", "create", "kept", "one", "cut"]);
    const copy = join(sandbox.state, "labs/kept/snapshot/data/layer.tar.zst");
    await vi.waitFor(() => expect(existsSync(copy)).toBe(true), {
      timeout: 20_000,
      interval: 2,
    });
    child.kill("SIGKILL");
    await ended;
    // The copy that is under way ends first.
    const patient = { timeout: 20_000, interval: 100 };
    const stood = await vi.waitFor(() => count(), patient);
    await vi.waitFor(() => expect(count()).toBeGreaterThan(stood), patient);
    expect(readdirSync(data("."))).toEqual(["good"]);
    inside("one", "rm /large");
    succeed("snapshot", "create", "kept", "one", "cut");
    expect(readdirSync(data(".")).toSorted()).toEqual(["cut", "good"]);
    expect(existsSync(copy)).toBe(false);
  });

  describe("what does not fit is refused, and the domain goes on as it is", () => {
    let runs: number | null | undefined;
    beforeEach(() => void (runs = pid("one")));
    afterEach(() => expect(pid("one")).toBe(runs));
    const refusal = (...args: string[]) => {
      const { code, stderr } = sandbox.cloison("snapshot", ...args);
      return `${code}: ${stderr}`;
    };

    test("unknown and taken names, paths, platforms without", () => {
      expect(refusal("create", "kept", "one", "good")).toMatch(/^2: .* has a snapshot good already/);
      expect(refusal("create", "kept", "one", "../x")).toMatch(/^2: .* is not a name/);
      expect(refusal("restore", "kept", "one", "god")).toMatch(/^2: .* has no snapshot god\n {2}it has cut, good/);
      expect(refusal("restore", "kept", "one", "../two/x")).toMatch(/has no snapshot \.\.\/two\/x/);
      expect(refusal("create", "ketp", "one")).toMatch(/^2: there is no lab ketp/);
    });

    test("another image below, a damaged copy", () => {
      const manifest = `${data("cut")}/snapshot.json`;
      const text = readFileSync(manifest, "utf8");
      writeFileSync(manifest, text.replace(/"imageKey": "[^"]{12}/, '"imageKey": "0123456789ab'));
      expect(refusal("restore", "kept", "one", "cut")).toMatch(
        /^5: .* lies on image plain \(0123456789ab\), and domain one on plain/,
      );
      writeFileSync(manifest, text);
      appendFileSync(`${data("cut")}/data/layer.tar.zst`, "x");
      expect(refusal("restore", "kept", "one", "cut")).toMatch(/^5: .* is damaged: its files have changed/);
      writeFileSync(manifest, "{}");
      expect(refusal("restore", "kept", "one", "cut")).toMatch(
        /snapshot\.json is damaged\n {2}cloison snapshot remove kept one cut/,
      );
      const listed = sandbox.cloison("snapshot", "list", "kept");
      expect(listed).toMatchObject({
        code: 0,
        stderr: expect.stringMatching(/snapshot cut .* cannot be read/) as string,
      });
      expect(listed.stdout).toContain("good");
      expect(succeed("snapshot", "remove", "kept", "one", "cut")).toBe("snapshot cut of one: removed\n");
      expect(refusal("remove", "../kept", "one", "good")).toMatch(/^2: .* has no snapshot good/);
    });
  });
});
