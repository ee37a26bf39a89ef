import { expect, test } from "vitest";
import { recipeSchema } from "../model/image.ts";
import { aptConfiguration } from "./apt-archive.ts";
import { ArchiveUnreachable, aptError, parsePrintedUris, wantedPackages } from "./apt-packages.ts";

const failed = (stdout: string, stderr = "") => ({ code: 100, signal: null, stdout, stderr, timedOut: false });

test("reads what apt would fetch: versions with epochs and tildes, names of files as apt and the pool have them", () => {
  expect(
    parsePrintedUris(`'http://deb.debian.org/debian/pool/main/p/procps/procps_4.0.2-3_amd64.deb' procps_2%3a4.0.2-3_amd64.deb 708712 SHA256:ab
'http://deb.debian.org/debian/pool/main/a/apache2/apache2_2.4.71-1%7edeb12u1_amd64.deb' apache2_2.4.71-1~deb12u1_amd64.deb 220000 MD5Sum:cd
`),
  ).toEqual([
    {
      name: "apache2",
      version: "2.4.71-1~deb12u1",
      file: "apache2_2.4.71-1~deb12u1_amd64.deb",
      poolFile: "apache2_2.4.71-1~deb12u1_amd64.deb",
      bytes: 220000,
    },
    {
      name: "procps",
      version: "2:4.0.2-3",
      file: "procps_2%3a4.0.2-3_amd64.deb",
      poolFile: "procps_4.0.2-3_amd64.deb",
      bytes: 708712,
    },
  ]);
});

test("tells an archive out of reach from a package that does not exist and from a full disk", () => {
  const unreachable = aptError(
    "it failed",
    failed("Get:1 x\n", "E: Failed to fetch http://x  Temporary failure resolving 'x'\n"),
  );
  expect(unreachable).toBeInstanceOf(ArchiveUnreachable);
  expect(unreachable.message).toBe("it failed:\nE: Failed to fetch http://x  Temporary failure resolving 'x'");
  const unknown = aptError("it failed", failed("", "E: Unable to locate package no-such\n"));
  expect(unknown).not.toBeInstanceOf(ArchiveUnreachable);
  expect(unknown.message).toContain("Unable to locate package no-such");
  expect(aptError("it failed", failed("", "E: You don't have enough free space in /a/.\n"))).not.toBeInstanceOf(
    ArchiveUnreachable,
  );
  expect(aptError("it failed", { ...failed("Get:1 x"), code: null, signal: "SIGKILL" }).message).toContain(
    "ended by SIGKILL",
  );
});

test("the base decides what is asked for beside the recipe's packages", () => {
  expect(wantedPackages(recipeSchema.parse({ base: "apt", packages: ["tini"] }))).toEqual([
    "?essential",
    "usr-is-merged",
    "tini",
  ]);
  expect(wantedPackages(recipeSchema.parse({}))).toContain("?priority(required)");
});

test("apt works in the store, with the machine's configuration but without its hooks", () => {
  const archive = {
    directory: "/store/.apt",
    title: "Debian bookworm",
    isForeign: false,
    codename: "bookworm",
    architecture: "amd64",
    sources: "",
    configuration: "/store/.apt/apt.conf",
    lists: "/var/lib/apt/lists",
    stamp: "",
    packagesDirectory: "/store/.apt/archives",
  };
  expect(aptConfiguration(archive, true)).toMatchInlineSnapshot(`
    "#include "/etc/apt/apt.conf.d/";
    #include "/etc/apt/apt.conf";
    #clear APT::Update::Pre-Invoke;
    #clear APT::Update::Post-Invoke;
    #clear APT::Update::Post-Invoke-Success;
    #clear DPkg::Pre-Invoke;
    #clear DPkg::Post-Invoke;
    #clear DPkg::Pre-Install-Pkgs;
    #clear APT::Architectures;
    APT::Architecture "amd64";
    APT::Architectures { "amd64"; };
    #clear APT::Default-Release;
    Dir::Etc::parts "/dev/null";
    Dir::Etc::main "/dev/null";
    Dir::Etc::sourcelist "/store/.apt/debian.sources";
    Dir::Etc::sourceparts "/dev/null";
    Dir::State "/store/.apt";
    Dir::State::status "/store/.apt/status";
    Dir::State::lists "/var/lib/apt/lists/";
    Dir::Cache "/store/.apt/cache";
    Dir::Cache::pkgcache "pkgcache.bin";
    Dir::Cache::srcpkgcache "";
    Dir::Cache::archives "/store/.apt/archives/";
    Dir::Log "/dev/null";
    Acquire::Languages "none";
    APT::Install-Recommends "false";
    APT::Install-Suggests "false";
    "
  `);
});
