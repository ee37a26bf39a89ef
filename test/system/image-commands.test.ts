import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { ImageRow, ShownImage } from "../../src/app/image/list.ts";
import type { Removed } from "../../src/app/image/remove.ts";
import { archiveThatGoesAway } from "../archive-that-goes-away.ts";
import { LAB_NEEDS, needs } from "../needs.ts";
import { writeOciLayout } from "../oci-layout.ts";
import { createSandbox, prepareProgram, PROGRAM, type Ended, type Sandbox } from "../sandbox.ts";
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
  let store = "";

  beforeAll(async () => {
    prepareProgram();
    sandbox = await createSandbox({ images: "own" });
    store = join(sandbox.state, "images");
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

  /** For env(1): where files are, this test's defaults, and something that is nobody's business. */
  const environment = () => [
    "-C",
    sandbox.folder,
    `XDG_CONFIG_HOME=${join(sandbox.folder, "config")}`,
    "SECRET_OF_USER=x",
  ];
  const image = (...args: string[]): Ended =>
    sandbox.run(["env", ...environment(), process.execPath, PROGRAM, "image", ...args]);
  function succeed(...args: string[]): string {
    const ended = image(...args);
    expect(ended, `cloison image ${args.join(" ")}`).toMatchObject({ code: 0 });
    return ended.stdout;
  }
  const json = <T>(...args: string[]) => JSON.parse(succeed(...args, "--json")) as T;
  const row = (name: string) => json<ImageRow[]>("list").find((one) => one.name === name);
  /** What a store has beside images, names and apt's own things. */
  const remains = () => (existsSync(join(store, ".building")) ? readdirSync(join(store, ".building")) : []);
  const names = () => readdirSync(join(store, ".named")).toSorted();
  const file = (name: string, text: string) => {
    writeFileSync(join(sandbox.folder, name), text);
    return name;
  };
  const stored = () => [
    existsSync(join(store, ".named")) ? names() : [],
    readdirSync(store).filter((name) => !name.startsWith(".")),
  ];
  /** How the command ended, which has changed and left nothing. */
  function refused(...args: string[]): Ended {
    const before = stored();
    const ended = image(...args);
    expect(stored()).toEqual(before);
    expect(remains()).toEqual([]);
    return ended;
  }
  const telling = (code: number, words: RegExp) => ({ code, stderr: expect.stringMatching(words) as string });

  describe("created from a file", () => {
    let root = "";
    const read = (path: string) => readFileSync(join(root, path), "utf8");

    test("is built once, by whoever comes first, and has all that its file and the defaults say", async () => {
      const argv = ["env", ...environment(), process.execPath, PROGRAM, "image", "create", "blog", "blog/image.yaml"];
      const both = await Promise.all([sandbox.start(argv).ended, sandbox.start(argv).ended]);
      const codes = both.map(({ code }) => code ?? -1).toSorted((a, b) => a - b);
      expect(codes, `${both.map(({ stderr }) => stderr).join("\n")}`).toEqual([0, 4]);
      expect(both.find(({ code }) => code === 4)?.stderr).toMatch(
        /^image blog is in use by another cloison \(pid \d+\)/,
      );
      const shown = json<ShownImage>("show", "blog");
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
      const { key, content } = json<ShownImage>("show", "blog").manifest ?? {};
      const elsewhere = join(sandbox.folder, "elsewhere");
      mkdirSync(join(elsewhere, "images/.apt"), { recursive: true });
      execFileSync("cp", ["-al", join(store, ".apt/archives"), join(elsewhere, "images/.apt/archives")]);
      const create = [process.execPath, PROGRAM, "image", "create", "blog", "blog/image.yaml", "--json"];
      const ended = sandbox.run(["env", ...environment(), `CLOISON_STATE=${elsewhere}`, ...create]);
      expect(ended).toMatchObject({ code: 0 });
      expect((JSON.parse(ended.stdout) as ShownImage).manifest).toMatchObject({ key, content });
    });

    test("that is there is not taken by another, and a new build of the same is the same", () => {
      expect(refused("create", "blog", "blog/image.yaml")).toMatchObject(
        telling(2, /^there is an image blog already\n {2}take another name, or --replace/),
      );
      expect(succeed("build", "blog")).toMatch(/^image blog is as it was: /);
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
      expect(succeed("list")).toMatch(/^blog +created +(bookworm|trixie) .* blog$/m);
      expect(refused("remove", "blog")).toMatchObject(
        telling(4, /^image blog is used by lab blog\n {2}cloison down blog/),
      );
      expect(json<Removed>("prune", "--dry-run")).toMatchObject({ removed: [], bytes: 0 });
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
      expect(succeed("import", "small", "small.tar.gz")).toMatch(/^image small is imported: /);
      const { directory, manifest } = json<ShownImage>("show", "small");
      expect(manifest?.suite).toBe("small 1");
      expect(readFileSync(join(directory ?? "", "etc/passwd"), "utf8")).toContain("guest");
      expect(existsSync(join(directory ?? "", "etc/ssh/ssh_host_rsa_key"))).toBe(false);
    });

    test("goes out in every form, each the same twice, and comes back from a disk as it was", () => {
      const content = json<ShownImage>("show", "small").manifest?.content;
      for (const name of ["small.tar.zst", "small.squashfs", "small.qcow2", "small.raw"]) {
        succeed("export", "small", name);
        const first = readFileSync(join(sandbox.folder, name));
        expect(refused("export", "small", name)).toMatchObject(telling(2, /is there already/));
        succeed("export", "small", name, "--force");
        if (!/qcow2|raw/.test(name))
          expect(readFileSync(join(sandbox.folder, name)).equals(first), `${name}`).toBe(true);
      }
      const raw = join(sandbox.folder, "small.raw");
      execFileSync("e2fsck", ["-f", "-n", raw]);
      const stat = execFileSync("debugfs", ["-R", "stat /etc/passwd", raw], { encoding: "utf8" });
      expect(stat).toMatch(/User: +0 +Group: +0/);
      const squash = execFileSync("unsquashfs", ["-lln", join(sandbox.folder, "small.squashfs")], { encoding: "utf8" });
      expect(squash).toMatch(/^-rw\S+ 0\/0 .*squashfs-root\/etc\/passwd$/m);
      succeed("import", "again", "small.tar.zst");
      expect(json<ShownImage>("show", "again").manifest?.content).toBe(content);
      succeed("import", "disk", "small.qcow2");
      const { directory } = json<ShownImage>("show", "disk");
      execFileSync("diff", [
        "-r",
        "--no-dereference",
        "--exclude=lost+found",
        directory ?? "",
        json<ShownImage>("show", "small").directory ?? "",
      ]);
      expect(readdirSync(sandbox.folder).filter((name) => name.includes("cloison-part"))).toEqual([]);
    });

    test("with a swap partition is a disk of two", () => {
      succeed("export", "blog", "blog.raw");
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
      succeed("import", "oci", "oci");
      const { directory, image: named } = json<ShownImage>("show", "oci");
      const list = (path: string) => readdirSync(join(directory ?? "", path));
      expect(list("opt")).toEqual(["two"]);
      expect(list("srv/old")).toEqual(["y"]);
      expect(readFileSync(join(directory ?? "", "folder"), "utf8")).toBe("file\n");
      expect(readdirSync(victim)).toEqual(["kept"]);
      expect(named.recipe.services).toEqual({
        main: { command: ["sh", "-c", "cd '/opt' && exec env 'GREETING=it'\\''s me' 'httpd' '-f'"] },
      });
      execFileSync("tar", ["-C", layout, "-cf", join(sandbox.folder, "oci.tar"), "."]);
      expect(succeed("import", "oci", "oci.tar", "--replace")).toMatch(/^image oci is as it was: /);
      const [blob = ""] = readdirSync(join(layout, "blobs/sha256")).filter(
        (name) => statSync(join(layout, "blobs/sha256", name)).size > 10_000,
      );
      appendFileSync(join(layout, "blobs/sha256", blob), "x");
      expect(refused("import", "other", "oci")).toMatchObject(
        telling(5, new RegExp(`^image other: .*/oci cannot be imported: its part sha256:${blob} is damaged`)),
      );
    });

    test("runs in a lab", () => {
      file(
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
      file("bad.yaml", text);
      expect(refused("create", "bad", "bad.yaml")).toMatchObject(telling(code, words));
    });

    test("a command line that is wrong is refused as everywhere", () => {
      expect(refused("create")).toMatchObject(telling(2, /^error: missing required argument 'name'/));
      expect(refused("shwo")).toMatchObject(telling(2, /unknown command 'shwo'/));
      expect(refused("create", "No_Name")).toMatchObject(telling(2, /^No_Name is not a name for an image\n/));
      expect(refused("export", "blog", "blog.zip")).toMatchObject(
        telling(2, /^blog\.zip does not say which format is meant\n/),
      );
    });

    test("a hook that fails is named, with what it said", () => {
      mkdirSync(join(sandbox.folder, "failing"));
      writeFileSync(join(sandbox.folder, "failing/10-fine"), "#!/bin/sh\necho fine\n");
      writeFileSync(join(sandbox.folder, "failing/20-bad"), "#!/bin/sh\necho the reason >&2\nexit 3\n");
      file("bad.yaml", "base: apt\nsize: 10M\nhooks: failing\n");
      expect(refused("create", "bad", "bad.yaml")).toMatchObject(
        telling(5, /^image bad: its hook 20-bad ended with exit 3:\nthe reason\n/m),
      );
    });

    test("a disk that is smaller than the content is refused before anything is written", () => {
      expect(refused("export", "blog", "tiny.raw", "--size", "20M")).toMatchObject(
        telling(2, /^image blog does not fit on a disk of 20M\n {2}give it \d+M: --size/),
      );
      expect(existsSync(join(sandbox.folder, "tiny.raw"))).toBe(false);
    });

    test("a full disk ends an export and an import with a word about it, and nothing is left", () => {
      const disk = join(sandbox.folder, "full");
      mkdirSync(disk);
      expect(sandbox.run(["mount", "-t", "tmpfs", "-o", "size=2m", "full", disk])).toMatchObject({ code: 0 });
      try {
        expect(refused("export", "blog", "full/blog.tar")).toMatchObject(
          telling(5, /^no space left for .*full\/blog\.tar\n {2}make room there/),
        );
        expect(sandbox.run(["ls", "-A", disk]).stdout).toBe("");
        const importing = [process.execPath, PROGRAM, "image", "import", "small", "small.tar.gz"];
        const ended = sandbox.run(["env", ...environment(), `CLOISON_STATE=${disk}`, ...importing]);
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

    test("an archive that goes away in the middle of a build leaves nothing", async () => {
      const archive = await archiveThatGoesAway(3);
      try {
        file("lost.yaml", `base: apt\nmirror: ${archive.uri}\n`);
        const argv = ["env", ...environment(), process.execPath, PROGRAM, "image", "create", "lost", "lost.yaml"];
        const { code, stderr } = await sandbox.start(argv).ended;
        expect(archive.packagesSent()).toBe(3);
        expect(stderr).toMatch(/^(apt-get update failed|the packages of the image could not be fetched):\n/m);
        expect(stderr).toContain("see that `apt-get update` works");
        expect(code).toBe(5);
        expect(names()).not.toContain("lost.json");
        expect(remains()).toEqual([]);
      } finally {
        archive.close();
      }
    });

    test("killed in the middle of a build, it leaves nothing that prune or the next build does not clear", async () => {
      const [waits, begun] = ["waits", "begun"].map((name) => join(sandbox.folder, name));
      mkdirSync(join(sandbox.folder, "slow"));
      const hook = `#!/bin/sh\n: >${begun}\nwhile [ -e ${waits} ]; do sleep 0.1; done\n`;
      writeFileSync(join(sandbox.folder, "slow/10-wait"), hook);
      file("slow.yaml", "base: apt\nhooks: slow\n");
      const create = ["env", ...environment(), process.execPath, PROGRAM, "image", "create", "slow", "slow.yaml"];
      const moments = [
        { reached: () => remains().length > 0, clear: ["prune"] },
        { reached: () => existsSync(begun ?? ""), clear: ["create", "slow", "slow.yaml"] },
      ];
      for (const { reached, clear } of moments) {
        file("waits", "");
        const { child, ended } = sandbox.start(create);
        await vi.waitUntil(reached, { timeout: 120_000, interval: 100 });
        child.kill("SIGKILL");
        await ended;
        expect(remains()).not.toEqual([]);
        expect(names()).not.toContain("slow.json");
        rmSync(waits ?? "");
        succeed(...clear);
        expect(remains()).toEqual([]);
      }
      expect(json<ShownImage>("show", "slow").image.name).toBe("slow");
    });

    test("an image in the store that was damaged is told, and built again", () => {
      const { directory, manifest } = json<ShownImage>("show", "blog");
      appendFileSync(join(directory ?? "", "etc/passwd"), "eve::0:0::/:/bin/sh\n");
      const shown = image("show", "blog");
      expect(shown.code).toBe(1);
      expect(shown.stdout).toMatch(/^state +damaged: files have changed since it was built$/m);
      expect(refused("export", "blog", "bad.tar")).toMatchObject(
        telling(5, /^image blog cannot be exported: it is damaged/),
      );
      succeed("build", "blog");
      expect(json<ShownImage>("show", "blog").manifest?.content).toBe(manifest?.content);
      truncateSync(join(store, ".named/small.json"), 10);
      expect(image("prune").stderr).toMatch(/^image small: its description cannot be read/);
      succeed("import", "--replace", "small", "small.tar.gz");
    });
  });

  test("removed, what is left unused is pruned, and the bytes are told", () => {
    succeed("remove", "disk");
    expect(row("disk")).toBeUndefined();
    const named = names().map((name) => name.slice(0, -".json".length));
    for (const name of named) succeed("remove", name);
    expect(image("remove", "blog")).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^there is no image blog\n/) as string,
    });
    const dry = json<Removed>("prune", "--dry-run", "--packages");
    expect(dry.bytes).toBeGreaterThan(10 ** 6);
    expect(succeed("prune", "--packages")).toContain(`(${dry.bytes} bytes) freed`);
    expect(readdirSync(store).filter((name) => !name.startsWith(".") || name === ".apt")).toEqual([]);
  });
});
