import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { ImageRow, ShownImage } from "../../src/app/image/list.ts";
import type { Removed } from "../../src/app/image/remove.ts";
import { imageProgram, telling, type ImageProgram } from "../image-program.ts";
import { LAB_NEEDS, needs } from "../needs.ts";
import { writeOciLayout } from "../oci-layout.ts";
import { createSandbox, prepareProgram, type Sandbox } from "../sandbox.ts";
import { makeSmallRootfs } from "./small-rootfs.ts";

const EXAMPLE = fileURLToPath(new URL("../../examples/images/blog", import.meta.url));

needs(
  ...LAB_NEEDS,
  "apt",
  "busybox",
  "tini",
  "squashfs",
  "qemu-img",
)("images with a name", () => {
  let sandbox: Sandbox;
  let images: ImageProgram;

  beforeAll(async () => {
    prepareProgram();
    sandbox = await createSandbox({ images: "own" });
    images = imageProgram(sandbox);
    // The example, with a server of ssh and a hook that looks around, under this test's own defaults.
    cpSync(EXAMPLE, join(sandbox.folder, "blog"), { recursive: true });
    const file = join(sandbox.folder, "blog/image.yaml");
    const text = readFileSync(file, "utf8")
      .replace("[busybox-static]", "[busybox-static, openssh-server]")
      .replace("services:\n", 'services:\n  ssh: { command: [/usr/sbin/sshd, -D, -e, -p, "22"] }\n');
    writeFileSync(file, text);
    const hook = '#!/bin/sh\nenv > "$1/etc/hook-environment"\necho root:secret | chroot "$1" chpasswd\n';
    writeFileSync(join(sandbox.folder, "blog/hooks/20-look"), hook);
    mkdirSync(join(sandbox.folder, "config/cloison"), { recursive: true });
    writeFileSync(
      join(sandbox.folder, "config/cloison/image.yaml"),
      'files: { /etc/school: { content: "ours\\n" } }\n',
    );
  });
  afterAll(() => sandbox.close());

  const row = (name: string) => images.json<ImageRow[]>("list").find((one) => one.name === name);

  describe("created from a file", () => {
    let root = "";
    const read = (path: string) => readFileSync(join(root, path), "utf8");

    test("is built once, by whoever comes first, and has all that its file and the defaults say", async () => {
      const argv = images.argv("create", "blog", "blog/image.yaml");
      const both = await Promise.all([sandbox.start(argv).ended, sandbox.start(argv).ended]);
      const codes = both.map(({ code }) => code ?? -1).toSorted((a, b) => a - b);
      expect(codes, `${both.map(({ stderr }) => stderr).join("\n")}`).toEqual([0, 4]);
      expect(both.find(({ code }) => code === 4)?.stderr).toMatch(
        /^image blog is in use by another cloison \(pid \d+\)/,
      );
      const shown = images.json<ShownImage>("show", "blog");
      root = shown.directory ?? "";
      expect(shown).toMatchObject({ state: "sound", usedBy: [], image: { sizeBytes: 512 * 2 ** 20 } });
      expect(Object.keys(shown.manifest?.packages ?? {})).toEqual(expect.arrayContaining(["openssh-server", "tini"]));
      expect(read("etc/motd")).toBe("A blog, made by cloison image create.\n");
      expect(read("etc/school")).toBe("ours\n");
      expect(read("etc/fstab")).toContain("LABEL=cloison-swap");
      const [, uid = "", gid = ""] = /^editor:x:(\d+):\d+:.*\/bin\/bash$/m.exec(read("etc/passwd")) ?? [];
      expect(Number(uid)).toBeGreaterThanOrEqual(1000);
      expect(gid).toBe("");
      expect(statSync(join(root, "srv/blog/index.html")).uid).toBe(Number(uid));
    });

    test("holds no secret: root is locked, no host keys, nothing of the user's environment", () => {
      expect(read("etc/shadow")).toMatch(/^root:\*:/m);
      expect(read("etc/shadow")).toMatch(/^editor:!/m);
      expect(readdirSync(join(root, "etc/ssh")).filter((name) => name.startsWith("ssh_host"))).toEqual([]);
      expect(read("etc/hook-environment")).not.toContain("SECRET_OF_USER");
      expect(read("etc/hook-environment")).toContain("PATH=");
    });

    test("built again elsewhere, is the same to the last byte", () => {
      const { key, content } = images.json<ShownImage>("show", "blog").manifest ?? {};
      const elsewhere = join(sandbox.folder, "elsewhere");
      mkdirSync(join(elsewhere, "images/.apt"), { recursive: true });
      execFileSync("cp", ["-al", join(images.store, ".apt/archives"), join(elsewhere, "images/.apt/archives")]);
      const create = images.argv("create", "blog", "blog/image.yaml", "--json");
      const ended = sandbox.run(["env", `CLOISON_STATE=${elsewhere}`, ...create]);
      expect(ended).toMatchObject({ code: 0 });
      expect((JSON.parse(ended.stdout) as ShownImage).manifest).toMatchObject({ key, content });
    });

    test("that is there is not taken by another, and a new build of the same is the same", () => {
      expect(images.refused("create", "blog", "blog/image.yaml")).toMatchObject(
        telling(2, /^there is an image blog already\n {2}take another name, or --replace/),
      );
      expect(images.succeed("build", "blog")).toMatch(/^image blog is as it was: /);
    });
  });

  describe("used by a lab", () => {
    beforeAll(() => {
      expect(sandbox.cloison("up", join(sandbox.folder, "blog/lab.yaml"))).toMatchObject({ code: 0 });
    });
    afterAll(() => {
      expect(sandbox.cloison("down", "blog")).toMatchObject({ code: 0 });
    });
    const exec = (domain: string, ...argv: string[]) => sandbox.cloison("exec", "blog", domain, "--", ...argv).stdout;

    test("runs its services, and each domain has host keys of its own", async () => {
      const key = (domain: string) => exec(domain, "cat", "/etc/ssh/ssh_host_ed25519_key.pub");
      for (const domain of ["blog1", "blog2"]) {
        // They are made while `up` ends.
        await vi.waitFor(() => expect(key(domain)).toMatch(/^ssh-ed25519 /), { timeout: 20_000, interval: 200 });
      }
      expect(key("blog1")).not.toBe(key("blog2"));
      // Services come after the keys.
      const station = ["nsenter", "--net=/run/netns/cloison.blog.station", "--"];
      const get = "exec 3<>/dev/tcp/10.41.0.11/80; printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3";
      const asked = (script: string) => sandbox.run([...station, "timeout", "10", "bash", "-c", script]).stdout;
      await vi.waitFor(() => expect(asked(get)).toContain("an image with a name"), { timeout: 20_000 });
      const ssh = "exec 3<>/dev/tcp/10.41.0.12/22; head -n 1 <&3";
      await vi.waitFor(() => expect(asked(ssh)).toMatch(/^SSH-2\.0-OpenSSH/), { timeout: 20_000 });
      expect(sandbox.cloison("ps", "blog").stdout).toMatch(/blog1 +container +running/);
    });

    test("is not removed under it, nor pruned", () => {
      expect(row("blog")).toMatchObject({ usedBy: ["lab blog"], kind: "created" });
      expect(images.succeed("list")).toMatch(/^blog +created +(bookworm|trixie) .* blog$/m);
      expect(images.refused("remove", "blog")).toMatchObject(
        telling(4, /^image blog is used by lab blog\n {2}cloison down blog/),
      );
      expect(images.json<Removed>("prune", "--dry-run")).toMatchObject({ removed: [], bytes: 0 });
    });
  });

  describe("imported", () => {
    let rootfs = "";
    beforeAll(() => {
      rootfs = makeSmallRootfs(join(sandbox.folder, "small"));
      mkdirSync(join(rootfs, "etc/ssh"));
      writeFileSync(join(rootfs, "etc/ssh/ssh_host_rsa_key"), "secret");
      writeFileSync(join(rootfs, "etc/os-release"), "ID=small\nVERSION_ID=1\n");
      execFileSync("tar", ["-C", rootfs, "-czf", join(sandbox.folder, "small.tar.gz"), "."]);
    });

    test("from an archive is what was in it, but for its secrets", () => {
      expect(images.succeed("import", "small", "small.tar.gz")).toMatch(/^image small is imported: /);
      const { directory, manifest } = images.json<ShownImage>("show", "small");
      expect(manifest?.suite).toBe("small 1");
      expect(readFileSync(join(directory ?? "", "etc/passwd"), "utf8")).toContain("guest");
      expect(existsSync(join(directory ?? "", "etc/ssh/ssh_host_rsa_key"))).toBe(false);
    });

    test("goes out in every form, each the same twice, and comes back from a disk as it was", () => {
      const content = images.json<ShownImage>("show", "small").manifest?.content;
      for (const name of ["small.tar.zst", "small.squashfs", "small.qcow2", "small.raw"]) {
        images.succeed("export", "small", name);
        const first = readFileSync(join(sandbox.folder, name));
        expect(images.refused("export", "small", name)).toMatchObject(telling(2, /is there already/));
        images.succeed("export", "small", name, "--force");
        if (!/qcow2|raw/.test(name))
          expect(readFileSync(join(sandbox.folder, name)).equals(first), `${name}`).toBe(true);
      }
      const raw = join(sandbox.folder, "small.raw");
      execFileSync("e2fsck", ["-f", "-n", raw]);
      const stat = execFileSync("debugfs", ["-R", "stat /etc/passwd", raw], { encoding: "utf8" });
      expect(stat).toMatch(/User: +0 +Group: +0/);
      const squash = execFileSync("unsquashfs", ["-lln", join(sandbox.folder, "small.squashfs")], { encoding: "utf8" });
      expect(squash).toMatch(/^-rw\S+ 0\/0 .*squashfs-root\/etc\/passwd$/m);
      images.succeed("import", "again", "small.tar.zst");
      expect(images.json<ShownImage>("show", "again").manifest?.content).toBe(content);
      images.succeed("import", "disk", "small.qcow2");
      const { directory } = images.json<ShownImage>("show", "disk");
      execFileSync("diff", [
        "-r",
        "--no-dereference",
        "--exclude=lost+found",
        directory ?? "",
        images.json<ShownImage>("show", "small").directory ?? "",
      ]);
      expect(readdirSync(sandbox.folder).filter((name) => name.includes("cloison-part"))).toEqual([]);
    });

    test("with a swap partition is a disk of two", () => {
      images.succeed("export", "blog", "blog.raw");
      const disk = join(sandbox.folder, "blog.raw");
      const blkid = (offset: number) =>
        execFileSync("blkid", ["-p", "-O", `${offset}`, "-s", "TYPE", "-s", "LABEL", "-o", "value", disk], {
          encoding: "utf8",
        });
      expect(blkid(2 ** 20)).toBe("cloison-root\next4\n");
      expect(blkid(513 * 2 ** 20)).toBe("cloison-swap\nswap\n");
      expect(execFileSync("sfdisk", ["--verify", disk], { encoding: "utf8" })).toContain("No errors detected");
    });

    test("from OCI layers has what they come to, and no link leads out of it", () => {
      const victim = join(sandbox.folder, "victim");
      mkdirSync(victim);
      writeFileSync(join(victim, "kept"), "kept\n");
      const layout = join(sandbox.folder, "oci");
      writeOciLayout(layout, sandbox.folder, [
        `cp -a ${rootfs}/. . && mkdir opt && echo one > opt/one && echo two > opt/two && mkdir -p srv/old folder/full && echo x > srv/old/x && ln -s ${victim} out`,
        "mkdir -p opt srv/old out && echo file > folder && touch opt/.wh.one srv/old/.wh..wh..opq && echo y > srv/old/y && echo bad > out/bad && touch out/.wh.kept",
      ]);
      images.succeed("import", "oci", "oci");
      const { directory, image: named } = images.json<ShownImage>("show", "oci");
      const list = (path: string) => readdirSync(join(directory ?? "", path));
      expect(list("opt")).toEqual(["two"]);
      expect(list("srv/old")).toEqual(["y"]);
      expect(readFileSync(join(directory ?? "", "folder"), "utf8")).toBe("file\n");
      expect(readdirSync(victim)).toEqual(["kept"]);
      expect(named.recipe.services).toEqual({
        main: { command: ["sh", "-c", "cd '/opt' && exec env 'GREETING=it'\\''s me' 'httpd' '-f'"] },
      });
      execFileSync("tar", ["-C", layout, "-cf", join(sandbox.folder, "oci.tar"), "."]);
      expect(images.succeed("import", "oci", "oci.tar", "--replace")).toMatch(/^image oci is as it was: /);
      const [blob = ""] = readdirSync(join(layout, "blobs/sha256")).filter(
        (name) => statSync(join(layout, "blobs/sha256", name)).size > 10_000,
      );
      appendFileSync(join(layout, "blobs/sha256", blob), "x");
      expect(images.refused("import", "other", "oci")).toMatchObject(
        telling(5, new RegExp(`^image other: .*/oci cannot be imported: its part sha256:${blob} is damaged`)),
      );
    });

    test("runs in a lab", () => {
      images.file(
        "oci.yaml",
        "name: oci\nnetworks: { lan: { subnet: 10.42.0.0/24 } }\ndomains: { one: { image: oci, listen: [80/tcp] } }\n",
      );
      expect(sandbox.cloison("up", join(sandbox.folder, "oci.yaml"))).toMatchObject({ code: 0 });
      expect(sandbox.cloison("exec", "oci", "one", "--", "ls", "/opt").stdout).toBe("two\n");
      expect(sandbox.cloison("down", "oci")).toMatchObject({ code: 0 });
    });
  });

  describe("when something is wrong", () => {
    test.each([
      ["a misspelt key", "pakages: [tini]\n", 2, /^bad\.yaml:1:1 pakages: unknown key, did you mean packages\?$/m],
      [
        "a password in the clear",
        "rootPasswordHash: secret\n",
        2,
        /^bad\.yaml:1:1 rootPasswordHash: secret is not the hash of a password/,
      ],
      [
        "a private key",
        'files: { /k: { content: "-----BEGIN PRIVATE KEY-----" } }\n',
        2,
        /^bad\.yaml:1:10 files\.\/k: holds a private key/,
      ],
      ["a folder of hooks that is not there", "hooks: nowhere\n", 2, /^bad\.yaml: hooks: there is no folder nowhere$/m],
      [
        "Ubuntu without a way to it",
        "distribution: ubuntu\nrelease: noble\n",
        3,
        /^Ubuntu noble: this machine's apt knows no archive of Ubuntu\n {2}name one in the image's file, as mirror: /,
      ],
      ["an unknown release", "release: bookwurm\n", 2, /^there is no release Debian bookwurm in the archive\n/],
    ])("%s is refused in a line, and nothing is made", (_, text, code, words) => {
      images.file("bad.yaml", text);
      expect(images.refused("create", "bad", "bad.yaml")).toMatchObject(telling(code, words));
    });

    test("a command line that is wrong is refused as everywhere", () => {
      expect(images.refused("create")).toMatchObject(telling(2, /^error: missing required argument 'name'/));
      expect(images.refused("shwo")).toMatchObject(telling(2, /unknown command 'shwo'/));
      expect(images.refused("create", "No_Name")).toMatchObject(telling(2, /^No_Name is not a name for an image\n/));
      expect(images.refused("export", "blog", "blog.zip")).toMatchObject(
        telling(2, /^blog\.zip does not say which format is meant\n/),
      );
    });

    test("a disk that is smaller than the content is refused before anything is written", () => {
      expect(images.refused("export", "blog", "tiny.raw", "--size", "20M")).toMatchObject(
        telling(2, /^image blog does not fit on a disk of 20M\n {2}give it \d+M: --size/),
      );
      expect(existsSync(join(sandbox.folder, "tiny.raw"))).toBe(false);
    });

    test("a full disk ends an export and an import with a word about it, and nothing is left", () => {
      const disk = join(sandbox.folder, "full");
      mkdirSync(disk);
      expect(sandbox.run(["mount", "-t", "tmpfs", "-o", "size=2m", "full", disk])).toMatchObject({ code: 0 });
      try {
        expect(images.refused("export", "blog", "full/blog.tar")).toMatchObject(
          telling(5, /^no space left for .*full\/blog\.tar\n {2}make room there/),
        );
        expect(sandbox.run(["ls", "-A", disk]).stdout).toBe("");
        const ended = sandbox.run(["env", `CLOISON_STATE=${disk}`, ...images.argv("import", "small", "small.tar.gz")]);
        expect(ended.stderr).toMatch(
          /^no space left for importing image small into .*full\/images\n {2}make room there/m,
        );
        expect(ended.code).toBe(5);
        expect(sandbox.run(["sh", "-c", `ls "${disk}/images" "${disk}/images/.building"`]).stdout).not.toMatch(
          /[0-9a-f]{64}/,
        );
      } finally {
        sandbox.run(["umount", disk]);
      }
    });

    test("an image in the store that was damaged is told, and built again", () => {
      const { directory, manifest } = images.json<ShownImage>("show", "blog");
      appendFileSync(join(directory ?? "", "etc/passwd"), "eve::0:0::/:/bin/sh\n");
      const shown = images.run("show", "blog");
      expect(shown.code).toBe(1);
      expect(shown.stdout).toMatch(/^state +damaged: files have changed since it was built$/m);
      expect(images.refused("export", "blog", "bad.tar")).toMatchObject(
        telling(5, /^image blog cannot be exported: it is damaged/),
      );
      images.succeed("build", "blog");
      expect(images.json<ShownImage>("show", "blog").manifest?.content).toBe(manifest?.content);
      truncateSync(join(images.store, ".named/small.json"), 10);
      expect(images.run("prune").stderr).toMatch(/^image small: its description cannot be read/);
      images.succeed("import", "--replace", "small", "small.tar.gz");
    });
  });

  test("removed, what is left unused is pruned, and the bytes are told", () => {
    images.succeed("remove", "disk");
    expect(row("disk")).toBeUndefined();
    const named = images.names().map((name) => name.slice(0, -".json".length));
    for (const name of named) images.succeed("remove", name);
    expect(images.run("remove", "blog")).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^there is no image blog\n/) as string,
    });
    const dry = images.json<Removed>("prune", "--dry-run", "--packages");
    expect(dry.bytes).toBeGreaterThan(10 ** 6);
    expect(images.succeed("prune", "--packages")).toContain(`(${dry.bytes} bytes) freed`);
    expect(readdirSync(images.store).filter((name) => !name.startsWith(".") || name === ".apt")).toEqual([]);
  });
});
