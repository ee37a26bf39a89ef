import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** Files that the build also takes in as text (scripts/build.mjs). */
const textFiles = /\.(csv|txt|html|css|php|conf)$/;

/** Unit tests of a module that other tests must not share: it is replaced, or asked whether it is loaded. */
const alone = readdirSync(fileURLToPath(new URL("src", import.meta.url)), { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".test.ts"))
  .map((name) => `src/${name}`)
  .filter((file) => /\bvi\.mock\(|\bcreateRequire\(/.test(readFileSync(new URL(file, import.meta.url), "utf8")));

export default defineConfig({
  plugins: [
    {
      name: "text",
      enforce: "pre",
      transform(code, id) {
        return textFiles.test(id) ? { code: `export default ${JSON.stringify(code)};`, map: null } : null;
      },
    },
  ],
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: [
            "src/**/*.test.ts",
            "test/contract/**/*.test.ts",
            "test/*.test.ts",
            "test/random-labs/**/*.test.ts",
            "scripts/**/*.test.mjs",
            "bench/**/*.test.ts",
          ],
          exclude: alone,
          pool: "forks",
          // Loading the same modules for each file anew is most of the time.
          isolate: false,
          maxWorkers: 2,
          testTimeout: 20_000,
        },
      },
      {
        extends: true,
        test: { name: "unit-alone", include: alone, pool: "forks", maxWorkers: 2, testTimeout: 20_000 },
      },
      {
        extends: true,
        test: {
          name: "system",
          include: ["test/system/**/*.test.ts"],
          pool: "forks",
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 300_000,
        },
      },
      {
        extends: true,
        test: {
          name: "long",
          include: ["test/long/**/*.test.ts"],
          pool: "forks",
          fileParallelism: false,
          testTimeout: 1_800_000,
          hookTimeout: 600_000,
        },
      },
      {
        extends: true,
        test: {
          name: "xen",
          include: ["test/xen/**/*.test.ts"],
          pool: "forks",
          fileParallelism: false,
          testTimeout: 240_000,
          hookTimeout: 600_000,
        },
      },
      {
        extends: true,
        test: {
          name: "slow",
          include: ["test/slow/**/*.test.ts"],
          pool: "forks",
          fileParallelism: false,
          testTimeout: 1_800_000,
          hookTimeout: 600_000,
        },
      },
    ],
  },
});
