import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { Backup } from "../../src/app/backup.ts";
import type { KernelSnapshot } from "../kernel-snapshot.ts";
import { LAB_NEEDS, needs } from "../needs.ts";
import { createSandbox, prepareProgram, PROGRAM, type Sandbox } from "../sandbox.ts";

const LAB = `
name: moved
images: { plain: { recipe: plain } }
networks:
  lan: { subnet: 10.78.0.0/24 }
domains:
  one: { image: plain, memory: 128M, pids: 64, disk: 64M, services: [] }
`;

/** From before the lab is there until it is about to be complete. */
const KILL_DELAYS_MS = [350, 600, 850, 1100];

/** Makes files of many kinds, and takes some of the image's away. */
const WORK = `
echo mine >/root/file; chown 1234:1234 /root/file; ln /root/file /root/hard; ln -s file /root/soft
mkdir -p /opt/a/b; chmod 2750 /opt/a; rm /etc/motd; rm -r /usr/share/doc; mkdir /usr/share/doc; echo new >/usr/share/doc/new
chmod 600 /etc/issue; rm -r /var/cache; ln -s /opt /var/cache`;
/** Says what became of them. */
const FACTS = `
cat /root/file; stat -c '%u:%g %h' /root/file; readlink /root/soft /var/cache; stat -c %a /opt/a /etc/issue
ls /usr/share/doc; ls /etc/motd 2>/dev/null || echo gone`;
const AS_WORKED = "mine\n1234:1234 2\nfile\n/opt\n2750\n600\nnew\ngone\n";

needs(...LAB_NEEDS)("backups", () => {
  let sandbox: Sandbox;
  let before: KernelSnapshot;
  let file = "";
  const kept = (name: string) => join(sandbox.folder, `${name}.tar.zst`);

  beforeAll(async () => {
    prepareProgram();
    sandbox = await createSandbox();
    before = sandbox.snapshot();
    file = join(sandbox.folder, "lab.yaml");
    writeFileSync(file, LAB);
    succeed("up", file);
    inside(WORK);
  });
  afterAll(async () => {
    succeed("down", "moved");
    const after = sandbox.snapshot();
    expect(existsSync(join(sandbox.state, "backups/moved"))).toBe(false);
    await sandbox.close();
    expect(after).toEqual(before);
  });

  const succeed = (...args: string[]) => sandbox.succeed(...args);
  const inside = (script: string) => succeed("exec", "moved", "one", "--", "sh", "-ec", script);
  const refusal = (...args: string[]) => {
    const { code, stderr } = sandbox.cloison(...args);
    return `${code}: ${stderr}`;
  };
  /** A backup made of another one, after the change. */
  const altered = (name: string, change: string) => {
    const script = `mkdir x; cd x; tar --extract --zstd --file "$1"; ${change}; tar --create --zstd --file "$2" backup.json domains; cd ..; rm -r x`;
    expect(sandbox.run(["sh", "-ec", script, "sh", kept("monday"), kept(name)]).code).toBe(0);
    return kept(name);
  };

  test("a lab is kept in one file, and is the same when it is brought back", () => {
    expect(inside(FACTS)).toBe(AS_WORKED);
    const made = JSON.parse(succeed("backup", "moved", kept("monday"), "--json")) as Backup;
    expect(made).toMatchObject({ lab: "moved", domains: ["one"], withImages: false });
    expect(made.bytes).toBe(statSync(kept("monday")).size);
    succeed("down", "moved");
    expect(succeed("restore", kept("monday"))).toBe("lab moved is up on container as it was kept: one\n");
    expect(inside(FACTS)).toBe(AS_WORKED);
    expect(succeed("net", "diff", "moved")).toBe("nothing differs from the plan\n");
    // It is the file's lab: nothing has to be made for it.
    expect(succeed("up", file)).toMatch(/no domain had to be changed/);
  });

  test("what is there already is not written over", () => {
    expect(refusal("restore", kept("monday"))).toMatch(/^2: there is a lab moved already\n {2}cloison backup keeps it/);
    expect(refusal("backup", "moved", kept("monday"))).toMatch(/^2: .* is there already/);
    expect(refusal("backup", "moved", "x.zip")).toMatch(/^2: x.zip is no name for a backup/);
    expect(refusal("backup", "moved", "nowhere/x.tar.zst")).toMatch(/^2: there is no directory nowhere/);
    expect(refusal("restore", "nothing.tar.zst")).toMatch(/^2: there is no file/);
  });

  describe("nothing is changed", () => {
    test("where the file is cut, damaged, of another version, or no backup", () => {
      succeed("down", "moved");
      const whole = statSync(kept("monday")).size;
      sandbox.run(["cp", kept("monday"), kept("cut")]);
      truncateSync(kept("cut"), whole - 20);
      expect(refusal("restore", kept("cut"))).toMatch(/^5: .*cut.tar.zst is not a whole backup: /);
      const damaged = altered("damaged", "printf x >>domains/one.tar.zst");
      expect(refusal("restore", damaged)).toMatch(/^5: .* is damaged: domains\/one.tar.zst is not as it was written/);
      const missing = altered("missing", "rm domains/one.tar.zst");
      expect(refusal("restore", missing)).toMatch(/^5: .* is damaged: domains\/one.tar.zst is missing/);
      const later = altered("later", "sed -i 's,cloison.backup/1,cloison.backup/7,' backup.json");
      expect(refusal("restore", later)).toMatch(/^2: .* another version of cloison: cloison.backup\/7, this one reads/);
      const other = altered(
        "other",
        `sed -i 's,"plain": "[0-9a-f]\\{64\\}","plain": "${"0".repeat(64)}",' backup.json`,
      );
      expect(refusal("restore", other)).toMatch(/5: .*image plain of the backup \(000000000000\) is not here, and/s);
      writeFileSync(kept("none"), "x");
      expect(refusal("restore", kept("none"))).toMatch(/^5: .* is not a whole backup/);
      expect(refusal("restore", kept("monday"), "--platform", "shared")).toMatch(
        /^2: a backup of platform container cannot be restored on shared/,
      );
      expect(succeed("ls", "--json")).toBe("[]\n");
      succeed("restore", kept("monday"));
    });

    test("where there is no room for the file, or its user has enough of waiting", async () => {
      inside("head -c 30M /dev/urandom >/large");
      const small = join(sandbox.folder, "small");
      mkdirSync(small);
      sandbox.run(["mount", "-t", "tmpfs", "-o", "size=8M", "small", small]);
      expect(refusal("backup", "moved", join(small, "x.tar.zst"))).toMatch(/^5: no space left for the backup/);
      expect(sandbox.run(["ls", "-A", small]).stdout).toBe("");
      sandbox.run(["umount", small]);

      const { child, ended } = sandbox.start([process.execPath, PROGRAM, "backup", "moved", kept("cut-off")]);
      const layer = join(sandbox.state, "backups/moved/domains/one.tar.zst");
      await vi.waitFor(() => expect(existsSync(layer)).toBe(true), { timeout: 20_000, interval: 2 });
      child.kill("SIGINT");
      expect((await ended).code).toBe(130);
      expect(readdirSync(sandbox.folder).filter((name) => name.includes("cut-off"))).toEqual([]);
      expect(inside("rm /large; echo on")).toBe("on\n");
    });
  });

  test("a restore that is killed leaves nothing that down, or the next restore, does not remove", async () => {
    succeed("down", "moved");
    for (const afterMs of KILL_DELAYS_MS) {
      const { child, ended } = sandbox.start([process.execPath, PROGRAM, "restore", kept("monday")]);
      await sleep(afterMs);
      child.kill("SIGKILL");
      await ended;
      succeed("down", "--all");
      expect({ afterMs, ...sandbox.snapshot() }).toEqual({ afterMs, ...before });
    }
    succeed("restore", kept("monday"));
    expect(existsSync(join(sandbox.state, "backups/moved"))).toBe(false);
    expect(inside(FACTS)).toBe(AS_WORKED);
  });

  test("with its images it comes up where there are none", async () => {
    succeed("backup", "moved", kept("carried"), "--with-images");
    const elsewhere = await createSandbox({ images: "own" });
    try {
      const restored = elsewhere.cloison("restore", kept("carried"));
      expect(restored).toMatchObject({ code: 0 });
      expect(elsewhere.cloison("exec", "moved", "one", "--", "sh", "-c", FACTS).stdout).toBe(AS_WORKED);
      expect(elsewhere.cloison("down", "moved").code).toBe(0);
    } finally {
      await elsewhere.close();
    }
  });

  needs(
    "qemu",
    "busybox",
    "apt",
  )("and virtual machines", () => {
    test("a container's files become a machine's, and a container's again", () => {
      succeed("down", "moved");
      succeed("restore", kept("monday"), "--platform", "qemu");
      expect(inside(FACTS)).toBe(AS_WORKED);
      inside("rm /var/cache; mkdir /var/cache; echo machine >/var/cache/file; chown 5:6 /var/cache");
      succeed("backup", "moved", kept("machine"));
      expect(inside("echo on")).toBe("on\n");
      succeed("down", "moved");
      succeed("restore", kept("machine"), "--platform", "container");
      expect(inside(FACTS.replace(" /var/cache", ""))).toBe(AS_WORKED.replace("/opt\n", ""));
      expect(inside("cat /var/cache/file; stat -c %u:%g /var/cache")).toBe("machine\n5:6\n");
      expect(readFileSync(kept("machine")).length).toBeLessThan(2 ** 20);
    });
  });
});
