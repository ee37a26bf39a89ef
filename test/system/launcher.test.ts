import { spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const repository = fileURLToPath(new URL("../..", import.meta.url));
let root: string;
let launcher: string;

/** A checkout with a program of three lines, an npm that only records that it was called, and esbuild installed. */
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "cloison-launcher-"));
  launcher = join(root, "cloison");
  for (const name of ["cloison", "scripts"]) cpSync(join(repository, name), join(root, name), { recursive: true });
  write("package.json", `{ "name": "cloison", "type": "module" }`);
  write("package-lock.json", lock("1.0.0"));
  write("node_modules/.package-lock.json", lock("1.0.0"));
  for (const name of ["esbuild", "@esbuild"]) {
    symlinkSync(join(repository, "node_modules", name), join(root, "node_modules", name));
  }
  write(
    "src/main.ts",
    `import { word } from "./word.ts";\nconsole.log(word, ...process.argv.slice(2));\nprocess.exitCode = 3;`,
  );
  write("src/word.ts", `export const word: string = "one";`);
  for (const name of ["load/client-process", "load/responder-process", "uplink/guard-process"]) {
    write(`src/${name}.ts`, "");
  }
  write(
    "bin/npm",
    `#!/bin/sh\necho "$@" >>"${root}/npm-calls"\ncp "${root}/package-lock.json" "${root}/node_modules/.package-lock.json"\n`,
  );
  chmodSync(join(root, "bin/npm"), 0o755);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(path: string, text: string): void {
  mkdirSync(join(root, path, ".."), { recursive: true });
  writeFileSync(join(root, path), text);
}

function lock(version: string): string {
  return JSON.stringify({ packages: { "": {}, "node_modules/left": { version, integrity: `sha-${version}` } } });
}

function environment(extra: Record<string, string> = {}): NodeJS.ProcessEnv {
  return { ...process.env, PATH: `${join(root, "bin")}:${process.env["PATH"] ?? ""}`, ...extra };
}

function launch(
  args: string[] = [],
  { command = launcher, env = {} }: { command?: string; env?: Record<string, string> } = {},
) {
  return spawnSync(command, args, { cwd: "/", env: environment(env), encoding: "utf8" });
}

describe("the launcher", () => {
  test("builds on first use, hands over arguments and exit code, and keeps quiet afterwards", () => {
    const first = launch(["a b", "--c"]);
    expect(first.stderr).toMatch(/built in/);
    expect(first.stdout).toBe("one a b --c\n");
    expect(first.status).toBe(3);
    const second = launch();
    expect(second.stderr).toBe("");
    expect(second.stdout).toBe("one\n");
    expect(existsSync(join(root, "npm-calls"))).toBe(false);
  });

  test("finds its folder through symbolic links, relative ones too", () => {
    mkdirSync(join(root, "elsewhere"));
    symlinkSync("../cloison", join(root, "elsewhere/link"));
    symlinkSync(join(root, "elsewhere/link"), join(root, "elsewhere/second"));
    expect(launch([], { command: join(root, "elsewhere/second") }).stdout).toBe("one\n");
  });

  test("builds again when a source changes, appears or is deleted", () => {
    launch();
    write("src/word.ts", `export const word: string = "two";`);
    expect(launch().stdout).toBe("two\n");
    write("src/more/other.ts", "");
    expect(launch().stderr).toMatch(/built in/);
    rmSync(join(root, "src/more/other.ts"));
    expect(launch().stderr).toMatch(/built in/);
    expect(launch().stderr).toBe("");
    rmSync(join(root, "src/word.ts"));
    const broken = launch();
    expect(broken.stderr).toMatch(/word\.ts/);
    expect(broken.status).toBe(70);
    expect(broken.stdout).toBe("");
  });

  test("installs when the lockfile asks for something else than what is installed, and only then", () => {
    launch();
    write("package-lock.json", lock("2.0.0"));
    const changed = launch();
    expect(changed.stderr).toMatch(/npm ci \(node_modules\/left is not the locked 2\.0\.0\)/);
    expect(changed.stdout).toBe("one\n");
    write("package-lock.json", lock("2.0.0"));
    expect(launch().stderr).not.toMatch(/npm/);
    expect(readFileSync(join(root, "npm-calls"), "utf8").trim().split("\n")).toHaveLength(1);
  });

  test("two first starts at once both work, and one of them prepares", async () => {
    const results = await Promise.all([start(), start(), start()]);
    expect(results.map(({ stdout }) => stdout)).toEqual(["one\n", "one\n", "one\n"]);
    expect(results.filter(({ stderr }) => /built in/.test(stderr))).toHaveLength(1);
  });

  test("an interrupted preparation is done again", async () => {
    write("package-lock.json", lock("2.0.0"));
    const npm = readFileSync(join(root, "bin/npm"), "utf8");
    write("bin/npm", `#!/bin/sh\nrm "${root}/node_modules/.package-lock.json"; echo ready; exec sleep 60`);
    const child = spawn(launcher, {
      cwd: "/",
      env: environment(),
      detached: true,
      stdio: ["ignore", "ignore", "pipe"],
    });
    const { pid } = child;
    if (pid === undefined) throw new Error("the launcher did not start");
    await new Promise<void>((resolve) => {
      child.stderr.on("data", (text: Buffer) => text.includes("ready") && resolve());
    });
    process.kill(-pid, "SIGKILL");
    await new Promise((resolve) => child.on("close", resolve));
    write("bin/npm", npm);
    const next = launch();
    expect(next.stderr).toMatch(/nothing is installed yet[^]*built in/);
    expect(next.stdout).toBe("one\n");
    expect(readdirSync(join(root, "dist")).filter((name) => name.startsWith("."))).toEqual([".prepared"]);
  });

  test.each(["v18.19.0", "v20.18.3"])("says in one line what to do about node %s", (version) => {
    write("bin/old-node", `#!/bin/sh\necho ${version}`);
    chmodSync(join(root, "bin/old-node"), 0o755);
    const { status, stderr } = launch([], { env: { CLOISON_NODE: join(root, "bin/old-node") } });
    expect(status).toBe(69);
    expect(stderr).toMatch(/^cloison: needs Node\.js 20\.19 or newer.*install.*\n$/);
    expect(stderr).toContain(version);
  });

  test("says what to do when there is no node", () => {
    const { status, stderr } = launch([], { env: { CLOISON_NODE: "no-such-node" } });
    expect(status).toBe(69);
    expect(stderr).toMatch(/^cloison: needs Node\.js.*install it.*\n$/);
  });
});

function start(): Promise<{ stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = spawn(launcher, { cwd: "/", env: environment(), stdio: ["ignore", "pipe", "pipe"] });
    const printed = { stdout: "", stderr: "" };
    child.stdout.on("data", (text: Buffer) => (printed.stdout += text.toString()));
    child.stderr.on("data", (text: Buffer) => (printed.stderr += text.toString()));
    child.on("close", () => resolve(printed));
  });
}
