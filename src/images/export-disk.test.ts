import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createRealHost } from "../host/real.ts";
import { createFakeHost, type FakeAnswer } from "../host/fake.ts";
import type { Command } from "../host/host.ts";
import { diskBytes } from "./disk-size.ts";
import { partitionScript, uuidOf, writeLoader } from "./export-disk.ts";
import { exportImage, formatOf, type Export } from "./export-image.ts";

const MIB = 2 ** 20;
const wanted: Export = {
  store: "/store",
  name: "blog",
  key: "k",
  rootfs: "/store/k/rootfs",
  format: "qcow2",
  file: "/out/blog.qcow2",
  fileSystemBytes: 64 * MIB,
  ampleBytes: 128 * MIB,
  swapBytes: null,
};
const answering = (fails: (command: Command) => FakeAnswer) =>
  createFakeHost({ answers: (command) => (command.argv[0] === "stat" ? { stdout: "42\n" } : fails(command)) });

test("a file is made beside, synced, renamed", async () => {
  const host = answering(() => undefined);
  expect(await exportImage(host, wanted)).toEqual({ bytes: 42 });
  const uuid = uuidOf("k", "root");
  expect(host.records.filter((line) => /^(run|rename)/.test(line))).toEqual([
    "run truncate --size=67108864 /out/.blog.qcow2.cloison-part.raw",
    `run LC_ALL=C.UTF-8 mke2fs -q -F -t ext4 -b 4096 -m 0 -L cloison-root -U ${uuid} -E hash_seed=${uuid},root_owner=0:0,lazy_itable_init=0,lazy_journal_init=0 -d /store/k/rootfs /out/.blog.qcow2.cloison-part.raw 65536k`,
    "run qemu-img convert -f raw -O qcow2 /out/.blog.qcow2.cloison-part.raw /out/.blog.qcow2.cloison-part",
    "run sync /out/.blog.qcow2.cloison-part",
    "run stat --format=%s /out/.blog.qcow2.cloison-part",
    "rename /out/.blog.qcow2.cloison-part /out/blog.qcow2",
    "run sync /out",
  ]);
  expect(host.records).toContain("remove /out/.blog.qcow2.cloison-part.raw");
});

test.each([
  ["a full disk", "mke2fs", "mke2fs: No space left on device", "no space left for /out/blog.qcow2"],
  [
    "a disk that is too small",
    "mke2fs",
    "mke2fs: Could not allocate block while populating file system",
    "image blog does not fit on a disk of 64M",
  ],
  [
    "a program that fails",
    "qemu-img",
    "qemu-img: it hurts",
    "/out/blog.qcow2 was not written: qemu-img ended with exit 1\nqemu-img: it hurts",
  ],
])("%s is told, and nothing is left", async (_, program, stderr, message) => {
  const host = answering(({ argv }) => (argv[0] === program ? { code: 1, stderr } : undefined));
  await expect(exportImage(host, wanted)).rejects.toThrow(message);
  expect(host.records.some((line) => line.startsWith("rename"))).toBe(false);
  expect(host.records.slice(-6)).toEqual([
    "remove /out/.blog.qcow2.cloison-part",
    "remove /out/.blog.qcow2.cloison-part.raw",
    "remove /out/.blog.qcow2.cloison-part.swap",
    "remove /out/.blog.qcow2.cloison-part.raw.swap",
    expect.stringMatching(/^remove \/store\/\.locks\/export-/),
    expect.stringMatching(/^unlock \/store\/\.locks\/export-/),
  ]);
});

test("a disk with swap has two partitions, one behind the other, with identifiers that are always the same", () => {
  const lines = partitionScript("k", { hasLoader: false, rootBytes: 64 * MIB, swapBytes: 32 * MIB }).split("\n");
  expect(lines[2]).toContain("start=2048, size=131072, type=L");
  expect(lines[3]).toContain("start=133120, size=65536, type=S");
  expect(uuidOf("k", "root")).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(uuidOf("k", "root")).toBe(uuidOf("k", "root"));
});

test("a disk that boots by itself has a partition for its loader first, and the loader's parts know where the next one is", async () => {
  const lines = partitionScript("k", { hasLoader: true, rootBytes: 64 * MIB, swapBytes: null }).split("\n");
  expect(lines[2]).toContain("start=2048, size=2048, type=21686148-6449-6E6F-744E-656564454649");
  expect(lines[3]).toContain("start=4096, size=131072, type=L");
  const folder = await mkdtemp(join(tmpdir(), "cloison-loader-"));
  try {
    const [disk, first, rest] = ["disk", "first", "rest"].map((name) => join(folder, name)) as [string, string, string];
    await writeFile(disk, Buffer.alloc(4096 * 2));
    await writeFile(first, Buffer.alloc(512, 1));
    await writeFile(rest, Buffer.alloc(1024, 2));
    await writeLoader(createRealHost(), { first, rest }, disk, 3);
    const written = await readFile(disk);
    expect(written.readBigUInt64LE(92)).toBe(3n);
    expect([written[0], written[439], written[440]]).toEqual([1, 1, 0]);
    expect(written.readBigUInt64LE(3 * 512 + 500)).toBe(4n);
    expect([written[3 * 512], written[5 * 512 - 1], written[5 * 512]]).toEqual([2, 2, 0]);
    expect(written.length).toBe(4096 * 2);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("a disk is as large as asked, or has room for a quarter more than its content", () => {
  const content = { bytes: 100 * MIB, files: 1000 } as Parameters<typeof diskBytes>[1];
  expect(diskBytes("blog", content, null)).toBe(192 * MIB);
  expect(diskBytes("blog", content, 150.5 * MIB)).toBe(150 * MIB);
  expect(() => diskBytes("blog", content, 100 * MIB)).toThrow("image blog does not fit on a disk of 100M");
});

test.each([
  ["a.tar.zst", "tar"],
  ["a.tgz", "tar"],
  ["a.sqfs", "squashfs"],
  ["a.img", "raw"],
  ["a.qcow2", "qcow2"],
  ["a.zip", null],
])("%s is meant to be %s", (file, format) => expect(formatOf(file)).toBe(format));
