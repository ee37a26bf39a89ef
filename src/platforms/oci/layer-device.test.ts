import { expect, test } from "vitest";
import { createFakeHost } from "../../host/fake.ts";
import { layerDevice } from "./layer-device.ts";

const hostWith = (findmnt: string, files: Record<string, string> = {}) =>
  createFakeHost({ files, answers: ({ argv }) => (argv[0] === "findmnt" ? { stdout: findmnt } : undefined) });

test("a file system on a whole disk or a loop device", async () => {
  expect(await layerDevice(hostWith("  7:3 /dev/loop3\n"), "/layer")).toEqual({ major: 7, minor: 3 });
});

test("a partition stands for its disk, which alone takes limits", async () => {
  const host = hostWith("8:2 /dev/sda2\n", {
    "/sys/dev/block/8:2/partition": "2\n",
    "/sys/dev/block/8:2/../dev": "8:0\n",
  });
  expect(await layerDevice(host, "/layer")).toEqual({ major: 8, minor: 0 });
});

test("btrfs has a number of its own, and names its disk", async () => {
  const host = hostWith("0:33 /dev/vdb[/@]\n", { "/sys/class/block/vdb/dev": "254:16\n" });
  expect(await layerDevice(host, "/layer")).toEqual({ major: 254, minor: 16 });
});

test("what lies on no disk cannot be limited, and the remedy is a layer of its own size", async () => {
  await expect(layerDevice(hostWith("0:21 tmpfs\n"), "/layer")).rejects.toMatchObject({
    message: "I/O limits cannot be set: /layer lies on tmpfs, which is no disk",
    hint: "give the domain a disk size, which makes its layer a file system of its own",
  });
});
