// Bundles the program into dist/ (scripts/prepare.mjs calls it when the packages are there).
import { build } from "esbuild";
import { copyFileSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";

/**
 * What starts with a lab, by the name it gets in dist/: CommonJS, which Node loads sooner. Of a module V8 would keep nothing
 * compiled, either (scripts/start.cjs).
 */
const commonJsEntries = {
  program: "src/main.ts",
  responder: "src/load/responder-process.ts",
};
/** Programs that are started as processes of their own, now and then. */
const moduleEntries = {
  "load-client": "src/load/client-process.ts",
  "uplink-guard": "src/uplink/guard-process.ts",
};
const benchEntries = { bench: "bench/run.ts" };

/** Packages that load machine code or read their own files: Node finds them in node_modules. */
const external = ["koffi", "@duckdb/*", "playwright-core", "autocannon"];

/** A program that is running loads its lazy chunks from the build it was started with, for as long as this. */
const keepOldChunksMs = 48 * 3600 * 1000;

/** Lazy `await import()`s stay lazy in both: `--help` runs next to nothing. */
const commonJs = {
  outExtension: { ".js": ".cjs" },
  format: "cjs",
  // `import()` of what stays outside becomes require(): in code that V8 kept from an earlier run Node (20) knows no import().
  // Without template literals all text can be written in ASCII, which is what it is read as (scripts/start.cjs).
  supported: { "dynamic-import": false, "template-literal": false },
  // `resolve` finds what runs TypeScript from a source tree, which a bundle never does.
  define: { "import.meta.url": "__url", "import.meta.resolve": "undefined" },
  banner: { js: 'const __url = require("node:url").pathToFileURL(__filename).href;' },
};
const modules = {
  // All chunks lie beside the entries: `new URL("./load-client.mjs", import.meta.url)` means the same from everywhere.
  splitting: true,
  chunkNames: "chunk-[name]-[hash]",
  outExtension: { ".js": ".mjs" },
  format: "esm",
  banner: {
    // CommonJS packages inside an ES module call require() for Node's own modules.
    js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
  },
};

/** Bundles `wanted` (name → source file) into `output`; what is there is replaced file by file, entries last. */
async function bundle(base, output, wanted, form) {
  const staging = join(output, `.build-${process.pid}`);
  mkdirSync(staging, { recursive: true });
  try {
    await build({
      ...form,
      absWorkingDir: base,
      entryPoints: Object.entries(wanted).map(([out, source]) => ({ in: source, out })),
      outdir: staging,
      bundle: true,
      platform: "node",
      target: "node20.19",
      external,
      loader: { ".csv": "text", ".txt": "text", ".html": "text", ".css": "text", ".php": "text", ".conf": "text" },
      sourcemap: true,
      sourcesContent: false,
      // Less text to read at every start; names stay, for stack traces.
      minifySyntax: true,
      minifyWhitespace: true,
      logLevel: "warning",
    });
    const isEntry = (name) => Object.keys(wanted).some((out) => name.startsWith(`${out}.`));
    const built = readdirSync(staging).sort((a, b) => Number(isEntry(a)) - Number(isEntry(b)));
    for (const name of built) renameSync(join(staging, name), join(output, name));
    removeOldChunks(output, new Set(built));
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

function removeOldChunks(output, current) {
  for (const name of readdirSync(output)) {
    const path = join(output, name);
    // What was compiled of the program before is of no use to this one.
    if (name.includes(".compiled")) rmSync(path, { force: true });
    const chunk = name.startsWith("chunk-") || name.startsWith(".build-");
    if (chunk && !current.has(name) && Date.now() - statSync(path).mtimeMs > keepOldChunksMs) {
      rmSync(path, { recursive: true, force: true });
    }
  }
}

/** Builds what can be run into dist/ of the repository at `root`. The caller holds the lock. */
export async function buildAll(root, { bench = false }) {
  const dist = join(root, "dist");
  await bundle(root, dist, bench ? { ...moduleEntries, ...benchEntries } : moduleEntries, modules);
  await bundle(root, dist, commonJsEntries, commonJs);
  if (/[^\0-\x7f]/.test(readFileSync(join(dist, "program.cjs"), "latin1")))
    throw new Error("dist/program.cjs is not ASCII, as which scripts/start.cjs reads it");
  copyFileSync(join(root, "scripts/start.cjs"), join(dist, "cloison.cjs"));
}
