import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createRealHost } from "../../src/host/real.ts";
import { makeReady, newestKernel } from "../../src/images/guest-kernel.ts";
import { needs } from "../needs.ts";

const GUEST = join(process.cwd(), "guest");

/** What guests need, with drivers of one kind in modules, the others in the kernel itself. */
const DRIVERS = ["virtio_pci", "virtio_blk", "virtio_net", "virtio_console", "virtio-rng"];
const BUILT_IN = [
  "xen-blkfront",
  "xen-netfront",
  "button",
  "evdev",
  "8021q",
  "sch_netem",
  "sch_tbf",
  "nf_tables",
  "nft_ct",
];

needs("busybox")("a kernel for guests", () => {
  let folder: string;
  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "cloison-kernel-"))));
  afterEach(() => rmSync(folder, { recursive: true }));

  /** A package of a kernel with these modules. */
  const packed = (modules: string[]) => {
    const tree = join(folder, "tree");
    const drivers = join(tree, "lib/modules/6.9.0/kernel");
    for (const path of [drivers, join(tree, "boot"), join(tree, "DEBIAN")]) mkdirSync(path, { recursive: true });
    writeFileSync(join(tree, "boot/vmlinuz-6.9.0"), "kernel");
    for (const name of modules) writeFileSync(join(drivers, `${name}.ko`), name);
    writeFileSync(
      join(tree, "lib/modules/6.9.0/modules.builtin"),
      BUILT_IN.map((name) => `kernel/${name}.ko\n`).join(""),
    );
    writeFileSync(join(tree, "lib/modules/6.9.0/modules.order"), "");
    const control =
      "Package: kernel\nVersion: 1\nArchitecture: all\nMaintainer: Nobody <nobody@example.org>\nDescription: it\n";
    writeFileSync(join(tree, "DEBIAN/control"), control);
    execFileSync("dpkg-deb", ["--build", tree, join(folder, "kernel.deb")], { stdio: "ignore" });
    rmSync(tree, { recursive: true });
  };
  const make = () => makeReady(createRealHost(), folder, GUEST);

  test("is one that has the drivers, as modules or in itself", async () => {
    packed(DRIVERS);
    await make();
    expect(readdirSync(join(folder, "made"))).toEqual(["initramfs", "kernel"]);
  });

  test("is refused without one of them, by its name", async () => {
    packed(DRIVERS.filter((name) => name !== "virtio_net"));
    await expect(make()).rejects.toThrow("the guests' kernel cannot be used: it has no driver virtio_net");
    expect(existsSync(join(folder, "made/initramfs"))).toBe(false);
  });

  test("is, without an archive, the last that was made for the same programs, or else the last", async () => {
    const stored = (key: string, version: string, inside: string, madeAt: number) => {
      const directory = join(folder, ".kernels", key);
      mkdirSync(directory, { recursive: true });
      writeFileSync(join(directory, "version"), version);
      writeFileSync(join(directory, "inside"), inside);
      utimesSync(directory, madeAt, madeAt);
    };
    const found = async (inside: string) => newestKernel(createRealHost(), folder, inside);
    expect(await found("now")).toBe(null);
    stored("a", "6.1", "now", 1000);
    stored("b", "6.2", "now", 2000);
    stored("c", "6.3", "before", 3000);
    expect(await found("now")).toMatchObject({ version: "6.2", isSameInside: true });
    expect(await found("later")).toMatchObject({ version: "6.3", isSameInside: false });
  });
});
