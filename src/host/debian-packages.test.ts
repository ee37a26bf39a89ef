import { describe, expect, test } from "vitest";
import { installPackages, missingPackages } from "./debian-packages.ts";
import { createFakeHost, type FakeAnswer } from "./fake.ts";
import type { Command } from "./host.ts";

const LISTS = { "/var/lib/apt/lists/deb.debian.org_debian_dists_bookworm_main_binary-amd64_Packages.lz4": "" };

/** A machine on which runc is installed, and `install` decides how apt's installation ends. */
function machine(options: { uid?: string; lists?: boolean; install: (attempt: number) => FakeAnswer }) {
  const installed = new Set(["runc"]);
  let attempts = 0;
  const answers = ({ argv }: Command): FakeAnswer => {
    if (argv[0] === "id") return { stdout: `${options.uid ?? "0"}\n` };
    if (argv[0] === "dpkg-query") {
      const asked = argv.slice(3);
      const known = asked.filter((name) => installed.has(name)).map((name) => `${name}\tinstalled\n`);
      return { stdout: `${known.join("")}removed\tconfig-files\n`, code: known.length === asked.length ? 0 : 1 };
    }
    if (argv[0] === "unshare") {
      const answer = options.install(++attempts);
      if (answer === undefined) for (const name of argv.slice(argv.lastIndexOf("-o") + 2)) installed.add(name);
      return answer;
    }
    return undefined;
  };
  const host = createFakeHost({ answers, files: options.lists === false ? {} : LISTS });
  const ran = (words: string) => host.records.filter((line) => line.includes(words)).length;
  return { host, ran };
}

test("lists what is not installed; configuration files alone are no package", async () => {
  const { host } = machine({ install: () => undefined });
  expect(await missingPackages(host, ["runc", "removed", "unheard-of"])).toEqual(["removed", "unheard-of"]);
  expect(await missingPackages(host, [])).toEqual([]);
});

describe("installPackages", () => {
  test("installs what is missing, without services, questions or recommended packages", async () => {
    const { host, ran } = machine({ install: () => undefined });
    const said: string[] = [];
    await installPackages(host, ["runc", "fio", "iperf3"], { onProgress: (line) => said.push(line) });
    const line = host.records.find((record) => record.includes("unshare")) ?? "";
    expect(line).toContain("DEBIAN_FRONTEND=noninteractive");
    expect(line).toContain("apt-get install -q -y --no-install-recommends -o DPkg::Lock::Timeout=300 fio iperf3");
    expect(ran("apt-get update")).toBe(0);
    expect(said).toEqual(["installing fio, iperf3"]);
  });

  test("does nothing when nothing is missing", async () => {
    const { host, ran } = machine({ install: () => ({ code: 100 }), uid: "1000" });
    await installPackages(host, ["runc"]);
    expect(ran("apt-get")).toBe(0);
  });

  test("fetches lists first on a machine that has none, and again when a package is gone from the archive", async () => {
    const fresh = machine({ lists: false, install: () => undefined });
    await installPackages(fresh.host, ["fio"]);
    expect(fresh.ran("apt-get update")).toBe(1);

    const stale = machine({
      install: (attempt) => (attempt === 1 ? { code: 100, stderr: "E: Failed to fetch x  404  Not Found" } : undefined),
    });
    await installPackages(stale.host, ["fio"]);
    expect(stale.ran("apt-get update")).toBe(1);
  });

  test("says what to type when not root", async () => {
    const { host } = machine({ uid: "1000", install: () => undefined });
    await expect(installPackages(host, ["runc", "fio"])).rejects.toMatchObject({
      message: "Debian packages are missing: fio",
      hint: "run: sudo apt-get install --no-install-recommends fio",
      exit: 3,
    });
  });

  test("says what apt said when it fails", async () => {
    const { host } = machine({ install: () => ({ code: 100, stderr: "E: Unable to locate package fio\n" }) });
    await expect(installPackages(host, ["fio"])).rejects.toMatchObject({
      message: "apt could not install fio\nE: Unable to locate package fio",
      exit: 3,
    });
  });
});
