import { expect, test } from "vitest";
import { recipeSchema } from "../model/image.ts";
import { buildPaths, hookFailure, linkScript, mmdebstrapCommand, repositoryIndex, stagedFiles } from "./mmdebstrap.ts";

const paths = buildPaths("/store/.building/k");
const recipe = recipeSchema.parse({
  base: "apt",
  packages: ["tini", "procps"],
  files: { "/srv/www/index.html": { content: "hello", mode: "0640" } },
  commands: ["echo 'one' > /one", "echo two"],
});

test("the build has no network, its own mounts and processes, and only the packages that were resolved", () => {
  const argv = mmdebstrapCommand(paths, recipe, "amd64", 1234);
  expect(argv.slice(0, argv.indexOf("setpriv"))).toEqual([
    "env",
    "-i",
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME=/root",
    "LC_ALL=C.UTF-8",
    "TMPDIR=/store/.building/k/tmp",
    "SOURCE_DATE_EPOCH=1234",
    "DEBIAN_FRONTEND=noninteractive",
  ]);
  expect(argv.slice(argv.indexOf("setpriv")).slice(0, 18)).toMatchInlineSnapshot(`
    [
      "setpriv",
      "--pdeathsig",
      "KILL",
      "--",
      "unshare",
      "--mount",
      "--net",
      "--ipc",
      "--pid",
      "--fork",
      "--kill-child",
      "--mount-proc",
      "mmdebstrap",
      "--mode=root",
      "--format=directory",
      "--verbose",
      "--variant=apt",
      "--dpkgopt=force-unsafe-io",
    ]
  `);
  expect(argv.slice(-3)).toEqual(
    [
      "--include=usr-is-merged,tini,procps",
      "",
      "/store/.building/k/rootfs",
      "deb [trusted=yes] copy:///store/.building/k/repository ./",
    ].slice(-3),
  );
  const hooks = argv.filter((word) => word.includes("-hook="));
  expect(hooks.slice(0, 5)).toMatchInlineSnapshot(`
    [
      "--setup-hook=set -e; for d in bin sbin lib lib32 lib64 libx32; do mkdir -p "$1/usr/$d"; ln -s "usr/$d" "$1/$d"; done",
      "--essential-hook=chroot "$1" sh -ec 'mkdir -p /etc/dpkg/dpkg.cfg.d; cat > /etc/dpkg/dpkg.cfg.d/cloison-build' <<'END'
    force-unsafe-io
    path-exclude=/usr/share/man/*
    path-exclude=/usr/share/info/*
    path-exclude=/usr/share/locale/*
    path-exclude=/usr/share/doc/*
    path-include=/usr/share/doc/*/copyright
    END",
      "--customize-hook=tar -C '/store/.building/k/staging' --owner=0 --group=0 -c . | chroot "$1" tar -C / -x --no-overwrite-dir --keep-directory-symlink",
      "--customize-hook=chroot "$1" sh -ec "$(cat '/store/.building/k/commands/0.sh')"",
      "--customize-hook=chroot "$1" sh -ec "$(cat '/store/.building/k/commands/1.sh')"",
    ]
  `);
});

test("nothing but the first links is written into the root from outside", () => {
  const [setup, ...later] = mmdebstrapCommand(paths, recipe, "amd64", 1234).filter((word) => word.includes("-hook="));
  expect(setup).toContain("--setup-hook=");
  for (const hook of later) expect(hook.replaceAll('chroot "$1"', "")).not.toContain("$1");
});

test("another architecture has other links", () => {
  expect(mmdebstrapCommand(paths, recipe, "arm64", 1234).join(" ")).toContain("for d in bin sbin lib; do");
});

test("users are made before the recipe's commands, hooks run after them with the root's path, and what copies share goes last", () => {
  const named = recipeSchema.parse({
    ...recipe,
    users: { ann: { groups: ["staff"], sshKeys: ["ssh-ed25519 AAAA it's ann"] } },
    hooks: [{ name: "10-a", script: "#!/bin/sh\n" }],
  });
  const hooks = mmdebstrapCommand(paths, named, "amd64", 1).filter((word) => word.startsWith("--customize-hook="));
  expect(hooks).toHaveLength(6);
  expect(hooks[4]).toBe(
    `--customize-hook=echo 'cloison: hook 10-a'; env -i PATH="$PATH" HOME=/root LC_ALL=C.UTF-8 SOURCE_DATE_EPOCH="$SOURCE_DATE_EPOCH" '/store/.building/k/hooks/10-a' "$1" || { echo 'cloison: hook 10-a ended with exit '$?; exit 1; }`,
  );
  expect(hooks[5]).toContain("root:*:");
  expect(stagedFiles(paths, named)[1]).toMatchObject({ path: "/store/.building/k/commands/0.sh" });
  expect(stagedFiles(paths, named)[1]?.content).toMatch(
    /^getent group staff .*\nuseradd .* --groups staff ann\n[^]*'ssh-ed25519 AAAA it'\\''s ann'/,
  );
  expect(stagedFiles(paths, named).at(-1)).toMatchObject({ path: "/store/.building/k/hooks/10-a", mode: 0o755 });
  const open = mmdebstrapCommand(paths, { ...named, rootPasswordHash: "$6$a$b" }, "amd64", 1);
  expect(open.join("\n")).not.toContain("root:*:");
});

test("a hook that failed is found in the log with what it printed", () => {
  const log =
    "I: running echo 'cloison: hook 20-b'; x || echo 'cloison: hook 20-b ended with exit '$?\ncloison: hook 10-a\nfine\ncloison: hook 20-b\none\ntwo\ncloison: hook 20-b ended with exit 7\nE: failed\n";
  expect(hookFailure(log)).toEqual({ name: "20-b", exit: 7, output: "one\ntwo" });
  expect(hookFailure("cloison: hook 10-a\nfine\n")).toBeNull();
});

test("files and commands are staged beside the root", () => {
  expect(stagedFiles(paths, recipe)).toEqual([
    { path: "/store/.building/k/staging/srv/www/index.html", content: "hello", mode: 0o640 },
    { path: "/store/.building/k/commands/0.sh", content: "echo 'one' > /one", mode: 0o644 },
    { path: "/store/.building/k/commands/1.sh", content: "echo two", mode: 0o644 },
  ]);
});

test.each(["/../../etc/passwd", "/a/./b", "/a//b", "/directory/", "/.."])("a file %s is refused", (path) => {
  expect(() => stagedFiles(paths, { ...recipe, files: { [path]: { content: "", mode: "0644" } } })).toThrow(
    `${path} is not a plain absolute path of a file`,
  );
});

test("the index points at files beside it, and the links have its names", () => {
  expect(repositoryIndex("Package: procps\nFilename: pool/main/p/procps/procps_4.0.2-3_amd64.deb\nSize: 1\n")).toBe(
    "Package: procps\nFilename: ./procps_4.0.2-3_amd64.deb\nSize: 1\n",
  );
  const procps = {
    name: "procps",
    version: "2:4.0.2-3",
    file: "procps_2%3a4.0.2-3_amd64.deb",
    poolFile: "procps_4.0.2-3_amd64.deb",
    bytes: 1,
  };
  expect(linkScript("/a b", "/r", [procps])).toBe(
    "set -e\nln '/a b/procps_2%3a4.0.2-3_amd64.deb' '/r/procps_4.0.2-3_amd64.deb'\n",
  );
});
