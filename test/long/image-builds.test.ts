import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { ShownImage } from "../../src/app/image/list.ts";
import { archiveThatGoesAway } from "../archive-that-goes-away.ts";
import { imageProgram, telling, type ImageProgram } from "../image-program.ts";
import { LAB_NEEDS, needs } from "../needs.ts";
import { createSandbox, prepareProgram, type Sandbox } from "../sandbox.ts";

needs(...LAB_NEEDS, "apt")("a build of an image that does not get to its end", () => {
  let sandbox: Sandbox;
  let images: ImageProgram;
  beforeAll(async () => {
    prepareProgram();
    sandbox = await createSandbox({ images: "own" });
    images = imageProgram(sandbox);
  });
  afterAll(() => sandbox.close());

  test("a hook that fails is named, with what it said", () => {
    mkdirSync(join(sandbox.folder, "failing"));
    writeFileSync(join(sandbox.folder, "failing/10-fine"), "#!/bin/sh\necho fine\n");
    writeFileSync(join(sandbox.folder, "failing/20-bad"), "#!/bin/sh\necho the reason >&2\nexit 3\n");
    images.file("bad.yaml", "base: apt\nsize: 10M\nhooks: failing\n");
    expect(images.refused("create", "bad", "bad.yaml")).toMatchObject(
      telling(5, /^image bad: its hook 20-bad ended with exit 3:\nthe reason\n/m),
    );
  });

  test("an archive that goes away in the middle of a build leaves nothing", async () => {
    const archive = await archiveThatGoesAway(3);
    try {
      images.file("lost.yaml", `base: apt\nmirror: ${archive.uri}\n`);
      const argv = images.argv("create", "lost", "lost.yaml");
      const { code, stderr } = await sandbox.start(argv).ended;
      expect(archive.packagesSent()).toBe(3);
      expect(stderr).toMatch(/^(apt-get update failed|the packages of the image could not be fetched):\n/m);
      expect(stderr).toContain("see that `apt-get update` works");
      expect(code).toBe(5);
      expect(images.names()).not.toContain("lost.json");
      expect(images.remains()).toEqual([]);
    } finally {
      archive.close();
    }
  });

  test("killed in the middle of a build, it leaves nothing that prune or the next build does not clear", async () => {
    const [waits, begun] = ["waits", "begun"].map((name) => join(sandbox.folder, name));
    mkdirSync(join(sandbox.folder, "slow"));
    const hook = `#!/bin/sh\n: >${begun}\nwhile [ -e ${waits} ]; do sleep 0.1; done\n`;
    writeFileSync(join(sandbox.folder, "slow/10-wait"), hook);
    images.file("slow.yaml", "base: apt\nhooks: slow\n");
    const create = images.argv("create", "slow", "slow.yaml");
    const moments = [
      { reached: () => images.remains().length > 0, clear: ["prune"] },
      { reached: () => existsSync(begun ?? ""), clear: ["create", "slow", "slow.yaml"] },
    ];
    for (const { reached, clear } of moments) {
      images.file("waits", "");
      const { child, ended } = sandbox.start(create);
      await vi.waitUntil(reached, { timeout: 120_000, interval: 100 });
      child.kill("SIGKILL");
      await ended;
      expect(images.remains()).not.toEqual([]);
      expect(images.names()).not.toContain("slow.json");
      rmSync(waits ?? "");
      images.succeed(...clear);
      expect(images.remains()).toEqual([]);
    }
    expect(images.json<ShownImage>("show", "slow").image.name).toBe("slow");
  });
});
