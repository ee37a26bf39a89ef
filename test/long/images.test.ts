import { createCipheriv, createHash } from "node:crypto";
import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createRealHost } from "../../src/host/real.ts";
import { apacheFiles } from "../../src/images/apache-configuration.ts";
import { ensureImage, type BuiltImage, type ImageOptions } from "../../src/images/build.ts";
import { RECIPES } from "../../src/images/recipes.ts";
import { STATIC_PAGE } from "../../src/images/web-pages.ts";
import { LabError } from "../../src/model/error.ts";
import { recipeSchema, type Recipe } from "../../src/model/image.ts";
import { needs } from "../needs.ts";

const host = createRealHost();
const recipe = (part: object): Recipe => recipeSchema.parse({ base: "apt", ...part });

/** The least that is a system, with a file and a command that go where a link leads. */
const SMALL = recipe({
  packages: ["tini"],
  files: { "/var/run/note": { content: "by way of a link\n", mode: "0600" } },
  commands: ["test -L /var/run", "cp /run/note /var/lock-note && rm /run/note"],
});

let scratch = "";
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), "cloison-images-test-"));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const mounts = () =>
  readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .filter((line) => line.includes(scratch));
const builders = () =>
  execFileSync("ps", ["-eo", "args"], { encoding: "utf8" })
    .split("\n")
    .filter((line) => line.includes(scratch));
/** What a store has beside finished images and apt's own things. */
const remains = (store: string) => readdirSync(join(store, ".building"));
const images = (store: string) => readdirSync(store).filter((name) => !name.startsWith("."));

async function refusal(work: Promise<unknown>): Promise<LabError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof LabError) return error;
    throw error;
  }
  throw new Error("it was not refused");
}

needs(
  "root",
  "apt",
  "mmdebstrap",
)("an image", () => {
  const said: string[] = [];
  const options = (more: Partial<ImageOptions> = {}): ImageOptions => ({
    store: join(scratch, "store"),
    name: "small",
    recipe: SMALL,
    onProgress: (line) => said.push(line),
    ...more,
  });
  let built: BuiltImage;

  test("asked for twice at once is built once, and is what its manifest says", async () => {
    const both = await Promise.all([ensureImage(host, options()), ensureImage(createRealHost(), options())]);
    [built] = both;
    expect(both[1]).toEqual(built);
    expect(said.filter((line) => line.includes("built in"))).toHaveLength(1);
    expect(said).toContain("image small: waiting for another build of the same image");
    expect(JSON.parse(readFileSync(join(dirname(built.directory), "manifest.json"), "utf8"))).toEqual(built.manifest);
    expect(Object.keys(built.manifest.packages)).toEqual(expect.arrayContaining(["tini", "dpkg", "apt", "libc6"]));
    expect(built.manifest.files).toBeGreaterThan(1000);
    expect(remains(options().store)).toEqual([]);
    expect(images(options().store)).toEqual([built.key]);
    expect(mounts()).toEqual([]);
    expect(builders()).toEqual([]);
  });

  test("has its files and commands inside, and nothing of the machine or of the build", () => {
    const read = (path: string) => readFileSync(join(built.directory, path), "utf8");
    expect(read("var/lock-note")).toBe("by way of a link\n");
    expect(statSync(join(built.directory, "var/lock-note")).mode & 0o777).toBe(0o600);
    expect(existsSync("/run/note")).toBe(false);
    expect(read("etc/resolv.conf")).toBe("");
    expect(read("etc/hostname")).toBe("localhost\n");
    expect(readdirSync(join(built.directory, "etc/dpkg/dpkg.cfg.d"))).toEqual([]);
    expect(existsSync(join(built.directory, "etc/apt/sources.list"))).toBe(false);
    expect(
      readdirSync(join(built.directory, "var/cache/apt/archives")).filter((name) => name.endsWith(".deb")),
    ).toEqual([]);
    const audit = execFileSync("chroot", [built.directory, "dpkg", "--audit"], { encoding: "utf8" });
    expect(audit).toBe("");
  });

  test("that is there is used as it is", async () => {
    said.length = 0;
    expect(await ensureImage(host, options())).toEqual(built);
    expect(said).toEqual([]);
  });

  test("that was damaged is noticed and built again, also from a package that was damaged", async () => {
    appendFileSync(join(built.directory, "etc/passwd"), "eve::0:0::/:/bin/sh\n");
    // Of the same size, so that apt takes it for what it fetched.
    const packages = join(options().store, ".apt", "archives");
    const [tini = ""] = readdirSync(packages).filter((name) => name.startsWith("tini_"));
    writeFileSync(join(packages, tini), Buffer.alloc(statSync(join(packages, tini)).size));
    said.length = 0;
    const again = await ensureImage(host, options());
    expect(said[0]).toBe(
      "image small: the one in the store is damaged (files have changed since it was built) and not used",
    );
    expect(said).toContain("image small: the packages in the store are damaged, and fetched again");
    expect(again.key).toBe(built.key);
    expect(readFileSync(join(again.directory, "etc/passwd"), "utf8")).not.toContain("eve");
  });

  test("of a package that does not exist names it", async () => {
    const impossible = options({ name: "impossible", recipe: recipe({ packages: ["no-such-package-anywhere"] }) });
    const error = await refusal(ensureImage(host, impossible));
    expect(error.message).toContain("Unable to locate package no-such-package-anywhere");
    expect(error.hint).toContain("list of packages");
  });

  test("whose command fails shows what it said, and leaves nothing", async () => {
    const before = images(options().store);
    const broken = options({ name: "broken", recipe: { ...SMALL, commands: ["echo the reason >&2; exit 3"] } });
    await expect(ensureImage(host, broken)).rejects.toThrow(/image broken could not be built:\n[^]*the reason/);
    expect(images(options().store)).toEqual(before);
    expect(remains(options().store)).toEqual([]);
  });

  test("interrupted while it is built leaves nothing", async () => {
    const before = images(options().store);
    const stop = new AbortController();
    const interrupted = options({
      name: "interrupted",
      recipe: { ...SMALL, commands: ["true"] },
      signal: stop.signal,
      onProgress: (line) => {
        if (line.includes("% installed")) stop.abort();
      },
    });
    await expect(ensureImage(host, interrupted)).rejects.toMatchObject({
      message: "interrupted: image interrupted was not built",
      exit: 130,
    });
    expect(stop.signal.aborted).toBe(true);
    expect(images(options().store)).toEqual(before);
    expect(remains(options().store)).toEqual([]);
    expect(builders()).toEqual([]);
    expect(mounts()).toEqual([]);
  });
});

needs(
  "root",
  "apt",
  "mmdebstrap",
  "loop",
)("a full disk", () => {
  // Too small for the packages; too small for what they unpack to.
  test.each([24, 150])("of %i MiB ends the build with a word about it, and what was built is gone", async (sizeMiB) => {
    const disk = join(scratch, `disk-${sizeMiB}.ext4`);
    const store = join(scratch, `disk-${sizeMiB}`);
    mkdirSync(store);
    writeFileSync(disk, "");
    execFileSync("truncate", ["--size", `${sizeMiB}M`, disk]);
    execFileSync("mkfs.ext4", ["-q", disk]);
    execFileSync("mount", ["-o", "loop", disk, store]);
    try {
      const error = await refusal(ensureImage(host, { store, name: "large", recipe: SMALL }));
      expect(error.message).toBe(`no space left for building image large in ${store}`);
      expect(error.hint).toContain("make room");
      expect(readdirSync(store).filter((name) => !name.startsWith(".") && name !== "lost+found")).toEqual([]);
      expect(existsSync(join(store, ".building")) ? remains(store) : []).toEqual([]);
      expect(builders()).toEqual([]);
    } finally {
      execFileSync("umount", [store]);
    }
  });
});

needs(
  "root",
  "apt",
  "mmdebstrap",
  "overlay",
  "netns",
)("the web image", () => {
  /** Runs the recipe's service over a layer of its own, without network but loopback, and asks for the pages. */
  const SERVE = `
staging=$1; root=$2; shift 2
mount -t tmpfs t /mnt
cd /mnt; mkdir upper work root
mount -t overlay o -o "lowerdir=$root,upperdir=upper,workdir=work" root
mount -t proc proc root/proc
ip link set lo up
tar -C "$staging" -c . | chroot root tar -C / -x --no-overwrite-dir
chroot root tini -s -- "$@" >&2 &
exec chroot root php -n -r '
$get = fn($page, $site) => @file_get_contents("http://127.0.0.1$page", false, stream_context_create(["http" => ["header" => "Host: $site"]]));
$until = microtime(true) + 20;
while (($static = $get("/index.html", "apache1")) === false && microtime(true) < $until) usleep(50000);
$large = $get("/large.bin", "apache2");
echo json_encode([
  "static" => $static,
  "other" => $get("/index.html", "apache2") === $static,
  "compute" => $get("/compute.php", "apache1"),
  "large" => [strlen($large), hash("sha256", $large)],
  "processes" => count(array_filter(glob("/proc/[0-9]*/comm"), fn($file) => trim(@file_get_contents($file)) === "apache2")),
]);'
`;

  test("serves both sites from one pool of workers: the static page, the one that computes, the large file", async () => {
    const store = join(process.env["CLOISON_STATE"] ?? "/var/lib/cloison", "images");
    const image = await ensureImage(host, { store, name: "web", recipe: RECIPES.web });
    const staging = join(scratch, "sites");
    const sites = [
      { name: "apache1", workers: 3 },
      { name: "apache2", workers: 4 },
    ];
    for (const [path, text] of Object.entries(apacheFiles(sites))) await host.files.writeText(staging + path, text);
    const service = RECIPES.web.services["apache"]?.command ?? [];
    const served = await host.processes.run({
      argv: [
        "unshare",
        "--mount",
        "--net",
        "--pid",
        "--fork",
        "--kill-child",
        "--mount-proc",
        "sh",
        "-ec",
        SERVE,
        "serve",
        staging,
        image.directory,
        ...service,
      ],
      timeoutMs: 60_000,
    });
    expect(served).toMatchObject({ code: 0 });

    let digest = "";
    for (let round = 0; round < 16_000; round++) digest = createHash("md5").update(`${digest}${round}`).digest("hex");
    const key = createHash("md5").update("cloison large.bin").digest();
    const keystream = createCipheriv("aes-128-ctr", key, Buffer.alloc(16)).update(Buffer.alloc(64 * 2 ** 20));
    expect(JSON.parse(served.stdout)).toEqual({
      static: STATIC_PAGE,
      other: true,
      compute: `${digest}\n`,
      large: [64 * 2 ** 20, createHash("sha256").update(keystream).digest("hex")],
      // The workers, and the process that holds them.
      processes: 8,
    });
    // Nothing was written into the image itself.
    expect((await ensureImage(host, { store, name: "web", recipe: RECIPES.web })).manifest).toEqual(image.manifest);
  });
});
