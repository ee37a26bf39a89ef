import { describe, expect, test } from "vitest";
import { createFakeHost, type FakeAnswer, type FakeHostOptions } from "../host/fake.ts";
import type { Command, Host } from "../host/host.ts";
import { recipeSchema } from "../model/image.ts";
import type { ImageManifest } from "./image-manifest.ts";
import { inventoryOf } from "./image-manifest.ts";
import { ensureImage } from "./build.ts";
import { imageKey, recipeKey } from "./image-key.ts";
import { sweepBuilds, workCgroup } from "./image-store.ts";

const STORE = "/store";
const recipe = recipeSchema.parse({ base: "apt", packages: ["tini"] });
const packages = [
  {
    name: "tini",
    version: "0.19.0-1",
    file: "tini_0.19.0-1_amd64.deb",
    poolFile: "tini_0.19.0-1_amd64.deb",
    bytes: 267204,
  },
];
const key = imageKey(recipe, "bookworm", "amd64", packages);
const ROOT_LISTING = "bin\tl\t777\t0:0\t7\t1.0\tusr/bin\0";
const manifest: ImageManifest = {
  schema: "cloison.image/2",
  key,
  recipeKey: recipeKey(recipe),
  name: "plain",
  suite: "bookworm",
  architecture: "amd64",
  builtAt: "2026-01-01T00:00:00.000Z",
  buildMs: 9000,
  recipe,
  packages: { tini: "0.19.0-1" },
  ...inventoryOf(ROOT_LISTING),
  content: "c".repeat(64),
};
const machine = {
  "/etc/os-release": "ID=debian\nVERSION_CODENAME=bookworm\n",
  "/etc/apt/sources.list": "deb http://deb.debian.org/debian bookworm main\n",
};
const stored = { [`${STORE}/${key}/manifest.json`]: JSON.stringify(manifest), [`${STORE}/${key}/rootfs/bin`]: "" };

interface Machine {
  lists?: boolean;
  online?: boolean;
  listing?: string;
}

/** Programs that answer as on a Debian machine. */
function answers({ lists = true, online = true, listing = ROOT_LISTING }: Machine): (command: Command) => FakeAnswer {
  return ({ argv }) => {
    const line = argv.join(" ");
    if (line === "dpkg --print-architecture") return { stdout: "amd64\n" };
    if (line.startsWith("find /var/lib/apt/lists")) {
      const prefix = "deb.debian.org_debian_dists_bookworm_";
      return lists ? { stdout: `${prefix}InRelease 1 5.0\n${prefix}main_binary-amd64_Packages.lz4 2 5.0\n` } : {};
    }
    if (line.startsWith(`find ${STORE}/.apt/lists`)) return { code: 1 };
    if (line.startsWith("find ")) return { stdout: listing };
    if (line.includes("--print-uris")) {
      return { stdout: `'http://x/${packages[0]?.poolFile}' ${packages[0]?.file} 267204 SHA256:ab\n` };
    }
    if (!online && /apt-get (update|install)/.test(line)) return { code: 100, stderr: "E: Failed to fetch http://x\n" };
    if (argv[0] === "dpkg-query") return { stdout: "tini\t0.19.0-1\n" };
    return undefined;
  };
}

function setUp(machineState: Machine, options: FakeHostOptions = {}) {
  const host = createFakeHost({ ...options, answers: answers(machineState), files: { ...machine, ...options.files } });
  const said: string[] = [];
  const ensure = () =>
    ensureImage(host, { store: STORE, name: "plain", recipe, onProgress: (line) => said.push(line) });
  const ran = (word: string) => host.records.filter((line) => line.startsWith("run ") && line.includes(word));
  return { host, said, ensure, ran };
}

describe("ensureImage", () => {
  test("uses what is in the store, and asks apt once only while its lists are the same", async () => {
    const { ensure, ran, said } = setUp({}, { files: stored });
    expect(await ensure()).toEqual({ key, directory: `${STORE}/${key}/rootfs`, manifest });
    await ensure();
    expect(ran("--print-uris")).toHaveLength(1);
    expect(ran("mmdebstrap")).toHaveLength(0);
    expect(said).toEqual([]);
  });

  test("builds what is not there: manifest after contents, then one rename", async () => {
    const { ensure, host } = setUp({});
    const built = await ensure();
    expect(built).toMatchObject({ key, manifest: { packages: { tini: "0.19.0-1" }, ...inventoryOf(ROOT_LISTING) } });
    const steps = host.records.map((line) => line.split("\n")[0] ?? "");
    const order = [
      "--download-only",
      "mmdebstrap",
      "sync --file-system",
      `replace ${STORE}/.building/${key}/manifest.json`,
      `rename ${STORE}/.building/${key} ${STORE}/${key}`,
    ];
    const places = order.map((word) => steps.findIndex((step) => step.includes(word)));
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(places).not.toContain(-1);
    const paths = (verb: string) =>
      steps.filter((step) => step.startsWith(`${verb} `)).map((step) => step.split(" ")[1]);
    expect(paths("lock")).toEqual([`${STORE}/.locks/apt`, `${STORE}/.locks/apt`, `${STORE}/.locks/${key}`]);
    expect(paths("unlock")).toEqual(paths("lock"));
  });

  test("builds a damaged image again, and says so", async () => {
    const { ensure, ran, said } = setUp({ listing: ROOT_LISTING.replace("1.0", "2.0") }, { files: stored });
    await ensure();
    expect(ran("mmdebstrap")).toHaveLength(1);
    expect(said[0]).toBe(
      "image plain: the one in the store is damaged (files have changed since it was built) and not used",
    );
  });

  test("without the archive, uses the newest image of the recipe and says so", async () => {
    const { ensure, said } = setUp({ lists: false, online: false }, { files: stored });
    expect((await ensure()).key).toBe(key);
    expect(said.at(-1)).toBe("image plain: the archive cannot be reached; the one built on 2026-01-01 is used");
  });

  test("without the archive and without an image, says what apt said", async () => {
    const { ensure } = setUp({ lists: false, online: false });
    await expect(ensure()).rejects.toThrow("apt-get update failed:\nE: Failed to fetch http://x");
  });

  test("a machine without lists gets them in the store", async () => {
    const { ensure, host } = setUp({ lists: false });
    await ensure();
    expect(host.records.some((line) => / APT_CONFIG=\/store\/.apt\/apt.conf .* apt-get update /.test(line))).toBe(true);
  });

  test("a build that fails leaves nothing", async () => {
    const { host } = setUp({});
    const failing = {
      ...host,
      processes: {
        ...host.processes,
        run: async (command: Command) => {
          if (!command.argv.includes("mmdebstrap")) return await host.processes.run(command);
          await host.files.writeText(
            `${STORE}/.building/${key}/build.log`,
            "I: installing\nE: tini: postinst failed\n",
          );
          return { code: 25, signal: null, stdout: "", stderr: "", timedOut: false };
        },
      },
    };
    await expect(ensureImage(failing, { store: STORE, name: "plain", recipe })).rejects.toThrow(
      "image plain could not be built:\nE: tini: postinst failed",
    );
    expect([...host.files.texts.keys()].filter((path) => path.startsWith(`${STORE}/.building`))).toEqual([]);
    expect(host.records).toContain(`destroy cgroup ${workCgroup(STORE, key)}`);
  });
});

test("packages that went bad on the disk are fetched again, once", async () => {
  const { host } = setUp({});
  let builds = 0;
  const damaged: Host = {
    ...host,
    processes: {
      ...host.processes,
      run: async (command) => {
        if (!command.argv.includes("mmdebstrap") || ++builds > 1) return await host.processes.run(command);
        await host.files.writeText(
          `${STORE}/.building/${key}/build.log`,
          "E: Failed to fetch copy:/x  Hash Sum mismatch\n",
        );
        return { code: 25, signal: null, stdout: "", stderr: "", timedOut: false };
      },
    },
  };
  const said: string[] = [];
  await ensureImage(damaged, { store: STORE, name: "plain", recipe, onProgress: (line) => said.push(line) });
  expect(said).toContain("image plain: the packages in the store are damaged, and fetched again");
  expect(host.records.filter((line) => line.includes("--download-only"))).toHaveLength(2);
  expect(host.records).toContain(`remove ${STORE}/.apt/archives`);
});

test("what crashed builds left is swept, what somebody works on is not", async () => {
  const host = createFakeHost({
    files: { [`${STORE}/.building/aa/build.log`]: "", [`${STORE}/.building/bb/build.log`]: "" },
    locked: [`${STORE}/.locks/bb`],
  });
  await sweepBuilds(host, STORE);
  expect([...host.files.texts.keys()]).toEqual([`${STORE}/.building/bb/build.log`]);
  expect(host.records).toContain(`destroy cgroup ${workCgroup(STORE, "aa")}`);
  expect(host.records).not.toContain(`destroy cgroup ${workCgroup(STORE, "bb")}`);
});
