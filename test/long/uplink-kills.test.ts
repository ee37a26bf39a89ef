import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { needs } from "../needs.ts";
import { prepareProgram } from "../sandbox.ts";
import { createUplinkBed, type UplinkBed } from "../uplink-bed.ts";

/** The namespaces, their network and the outside machine's server come first. */
const FIRST_UPLINK_EFFECT = 20;

/** In place of iproute2: of a batch that moves the card only so many lines are run, then whoever wanted it is killed. */
const CUT = `#!/bin/sh
real=/sbin/ip
[ -x $real ] || real=/usr/sbin/ip
[ "$1" = -batch ] || exec $real "$@"
cat >"$CUT/now"
grep -Eq "dev card2 (master|nomaster)" "$CUT/now" || exec $real -batch "$CUT/now"
cp "$CUT/now" "$CUT/batch"
head -n "$(cat "$CUT/lines")" "$CUT/now" | $real -batch -
kill -9 $PPID
`;

needs(
  "root",
  "netns",
  "ping",
  "dnsmasq",
)("cloison is killed while a real interface joins or leaves a lab", () => {
  const crashProgram = join(process.cwd(), `dist/crash-program-${process.pid}.mjs`);
  let bed: UplinkBed;

  beforeAll(async () => {
    prepareProgram();
    await build({
      entryPoints: [fileURLToPath(new URL("../crash-program.ts", import.meta.url))],
      outfile: crashProgram,
      bundle: true,
      format: "esm",
      platform: "node",
      packages: "external",
      loader: { ".php": "text", ".conf": "text" },
    });
    bed = await createUplinkBed();
  });
  afterEach(() => bed.clear());
  afterAll(async () => {
    await bed.sandbox.close();
    rmSync(crashProgram, { force: true });
  });

  const crash = (confirmWithinMs: number, ...args: (string | number)[]) =>
    bed.within(
      "machine",
      "env",
      `CONFIRM_WITHIN_MS=${confirmWithinMs}`,
      process.execPath,
      crashProgram,
      ...args.map(String),
    );

  test("before, within and after every entry of the journal: down puts all back", () => {
    const { journal } = JSON.parse(crash(0, "up", bed.sideFile, "effect", "before", 0).stdout) as { journal: number };
    bed.succeed("down", "--all");
    for (let n = 1; n <= journal; n++) {
      for (const moment of ["before", "within", "after"]) {
        expect(crash(0, "up", bed.sideFile, "journal", moment, n)).toMatchObject({ code: null });
        bed.succeed("down", "--all");
        expect({ n, moment, network: bed.network() }).toEqual({ n, moment, network: bed.before });
      }
    }
  });

  test("between any two effects: the watchdog puts all back by itself", async () => {
    // The first one tries the platform, too.
    crash(60_000, "up", bed.file, "effect", "before", 0);
    bed.succeed("down", "--all");
    const { effect } = JSON.parse(crash(60_000, "up", bed.file, "effect", "before", 0).stdout) as { effect: number };
    bed.succeed("down", "--all");
    let touched = 0;
    // Before that nothing of an uplink is done.
    for (let n = FIRST_UPLINK_EFFECT; n <= effect; n++) {
      const { code, stderr } = crash(1000, "up", bed.file, "effect", "after", n);
      // How often a program that starts is looked for varies, so the last may be beyond the end.
      expect({ n, code: code ?? 0, stderr }).toEqual({ n, code: 0, stderr: "" });
      if (code === null && bed.master("card1") !== null) touched += 1;
      await bed.restored();
      bed.succeed("down", "--all");
    }
    expect(touched).toBeGreaterThanOrEqual(2);
  });

  test("after every line of the batches that move addresses and routes: down puts all back", () => {
    const cut = join(bed.sandbox.folder, "cut");
    const lines = join(bed.sandbox.folder, "lines");
    const batch = join(bed.sandbox.folder, "batch");
    mkdirSync(cut);
    writeFileSync(join(cut, "ip"), CUT, { mode: 0o755 });
    const cutAfter = (n: number, ...args: string[]) => {
      writeFileSync(lines, `${n}`);
      return bed.sandbox.run([
        "env",
        `PATH=${cut}:${process.env["PATH"]}`,
        "CUT=" + bed.sandbox.folder,
        ...bed.argvOf(...args),
      ]);
    };
    for (const [verb, target] of [
      ["up", bed.sideFile],
      ["down", "uplinked"],
    ] as const) {
      let count = Number.POSITIVE_INFINITY;
      for (let n = 0; n <= count; n++) {
        if (verb === "down") bed.succeed("up", bed.sideFile);
        expect(cutAfter(n, verb, target)).toMatchObject({ code: null });
        count = readFileSync(batch, "utf8").trimEnd().split("\n").length;
        bed.succeed("down", "--all");
        expect({ verb, n, network: bed.network() }).toEqual({ verb, n, network: bed.before });
      }
      // Addresses, routes, the port itself.
      expect(count).toBeGreaterThanOrEqual(8);
    }
  });

  test("down, between its effects: down again puts all back", () => {
    bed.succeed("up", bed.sideFile);
    const { effect } = JSON.parse(crash(0, "down", bed.sideFile, "effect", "before", 0).stdout) as { effect: number };
    for (let n = 1; n <= effect; n += 2) {
      bed.succeed("up", bed.sideFile);
      crash(0, "down", bed.sideFile, "effect", "after", n);
      bed.succeed("down", "--all");
      expect({ n, network: bed.network() }).toEqual({ n, network: bed.before });
    }
  });
});
