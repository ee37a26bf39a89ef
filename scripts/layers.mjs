// Checks who imports whom (.dependency-cruiser.cjs), and that the check itself works: files were read, every file falls
// under a rule, and for every rule an import planted in a scratch copy is caught.
import { cruise } from "dependency-cruiser";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const config = createRequire(import.meta.url)("../.dependency-cruiser.cjs");

/** Per rule: a file, what it wrongly imports, and whether types only would be fine. */
const planted = {
  model: ["src/model/bad.ts", "../host/host.ts"],
  host: ["src/host/bad.ts", "../lab/apply.ts"],
  files: ["src/files/bad.ts", "../host/host.ts"],
  networks: ["src/networks/bad.ts", "../netstate/apply.ts"],
  walk: ["src/walk/bad.ts", "../plan/plan.ts"],
  schedule: ["src/schedule/bad.ts", "../load/load.ts"],
  stats: ["src/stats/bad.ts", "../samples/store.ts"],
  plan: ["src/plan/bad.ts", "../host/host.ts"],
  "plan-netstate-types": ["src/plan/bad-run-time.ts", "../netstate/apply.ts"],
  report: ["src/report/bad.ts", "../experiment/run.ts"],
  "report-stats-types": ["src/report/bad-run-time.ts", "../stats/interval.ts"],
  images: ["src/images/bad.ts", "../lab/apply.ts"],
  samples: ["src/samples/bad.ts", "../stats/interval.ts"],
  netstate: ["src/netstate/bad.ts", "../plan/plan.ts"],
  switch: ["src/switch/bad.ts", "../lab/apply.ts"],
  "switch-netstate-types": ["src/switch/bad-run-time.ts", "../netstate/apply.ts"],
  uplink: ["src/uplink/bad.ts", "../netstate/apply.ts"],
  verify: ["src/verify/bad.ts", "../netstate/apply.ts"],
  remote: ["src/remote/bad.ts", "../lab/apply.ts"],
  load: ["src/load/bad.ts", "../lab/apply.ts"],
  lab: ["src/lab/bad.ts", "../platforms/shared/platform.ts"],
  experiment: ["src/experiment/bad.ts", "../plan/plan.ts"],
  app: ["src/app/bad.ts", "../platforms/container/platform.ts"],
  cli: ["src/cli/bad.ts", "../lab/apply.ts"],
  server: ["src/server/bad.ts", "../host/host.ts"],
  platforms: ["src/platforms/container/bad.ts", "../../netstate/apply.ts"],
  "platform-contract": ["src/platforms/bad.ts", "./container/platform.ts"],
  "platforms-apart": ["src/platforms/namespace/bad.ts", "../oci/bundle.ts"],
  "platforms-over-oci": ["src/platforms/container/bad-neighbour.ts", "../shared/platform.ts"],
  "platforms-over-guest": ["src/platforms/qemu/bad-neighbour.ts", "../xen/platform.ts"],
  "no-test-in-product": ["src/model/bad-test.ts", "./lab.test.ts"],
  resolvable: ["src/stats/lost.ts", "./nowhere.ts"],
};

/** Imports that must pass; the files are what the planted ones import, too. */
const allowed = {
  "src/model/lab.test.ts": "../model/lab.ts",
  "src/model/lab.ts": null,
  "src/host/host.ts": "../model/lab.ts",
  "src/netstate/apply.ts": "../host/host.ts",
  "src/plan/plan.ts": "type:../netstate/apply.ts",
  "src/lab/apply.ts": "../platforms/platform.ts",
  "src/load/load.ts": "../model/lab.ts",
  "src/samples/store.ts": "../host/host.ts",
  "src/stats/interval.ts": null,
  "src/experiment/run.ts": "../lab/apply.ts",
  "src/platforms/platform.ts": "../host/host.ts",
  "src/platforms/oci/bundle.ts": "../platform.ts",
  "src/platforms/container/platform.ts": "../oci/bundle.ts",
  "src/platforms/shared/platform.ts": "../oci/bundle.ts",
  "src/platforms/guest/exec.ts": "../platform.ts",
  "src/platforms/qemu/platform.ts": "../guest/exec.ts",
  "src/platforms/xen/platform.ts": "../guest/exec.ts",
  "src/compose.ts": "./platforms/container/platform.ts",
  "src/plan/plan.test.ts": "../host/host.ts",
  "src/stats/ring-a.ts": "./ring-b.ts",
  "src/stats/ring-b.ts": "./ring-a.ts",
  "src/stats/type-ring-a.ts": "./type-ring-b.ts",
  "src/stats/type-ring-b.ts": "type:./type-ring-a.ts",
};

/** What dependency-cruiser found below a directory: the files it read, the broken rules, cycles at run time. */
async function look(directory) {
  const folders = ["src", "test", "bench"].filter((name) => readdirSync(directory).includes(name));
  const { output } = await cruise(folders, {
    ...config.options,
    baseDir: directory,
    validate: true,
    ruleSet: { forbidden: config.forbidden },
  });
  const sources = output.modules.filter(({ source }) => source.startsWith("src/"));
  const runTime = new Map(
    sources.map(({ source, dependencies }) => {
      const kept = dependencies.filter(({ module }) => !importsTypesOnly(directory, source, module));
      return [source, kept.map(({ resolved }) => resolved)];
    }),
  );
  const violations = output.summary.violations.filter(
    ({ rule, from, to }) => !config.typesAllowed.includes(rule.name) || runTime.get(from)?.includes(to),
  );
  return { read: new Set(output.modules.map(({ source }) => source)), violations, cycles: findCycles(runTime) };
}

/** Whether every import of `module` in the file is an `import type` (or `export type`), which leaves nothing at run time. */
function importsTypesOnly(directory, file, module) {
  const quoted = module.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const statements = new RegExp(`\\b(import|export)\\b(?:[^;"']*?\\bfrom)?\\s*\\(?\\s*["']${quoted}["']`, "g");
  const found = readFileSync(join(directory, file), "utf8").match(statements) ?? [];
  return found.length > 0 && found.every((statement) => /^(import|export)\s+type\b/.test(statement));
}

/** Cycles of a graph, each once, as a list of its nodes that begins and ends with the same. */
function findCycles(graph) {
  const cycles = [];
  const state = new Map();
  const visit = (node, path) => {
    if (state.get(node) === "done" || !graph.has(node)) return;
    if (state.get(node) === "open") return void cycles.push([...path.slice(path.indexOf(node)), node]);
    state.set(node, "open");
    for (const next of graph.get(node)) visit(next, [...path, node]);
    state.set(node, "done");
  };
  for (const node of graph.keys()) visit(node, []);
  return cycles;
}

function typescriptFiles(directory) {
  return readdirSync(join(directory, "src"), { recursive: true })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => `src/${name}`);
}

async function checkTree() {
  const problems = [];
  const { read, violations, cycles } = await look(root);
  for (const { rule, from, to } of violations) {
    const comment = config.forbidden.find(({ name }) => name === rule.name)?.comment ?? "";
    problems.push(`${from} → ${to}\n    ${rule.name}: ${comment}`);
  }
  for (const cycle of cycles) {
    problems.push(
      `${cycle.join(" → ")}\n    a cycle: split what both need into a third module, or pass it as a parameter`,
    );
  }
  const files = typescriptFiles(root);
  for (const file of files.filter((name) => !read.has(name) && !name.endsWith(".d.ts"))) {
    problems.push(`${file} was not read: the parser does not work`);
  }
  const ruled = new RegExp(`^src/((main|compose)\\.ts$|[^/]+\\.d\\.ts$|(${config.layers.join("|")})/)`);
  for (const file of files.filter((name) => !ruled.test(name))) {
    problems.push(`${file} falls under no rule: give its folder a line in .dependency-cruiser.cjs`);
  }
  return { problems, count: files.length };
}

async function checkCanary() {
  const scratch = mkdtempSync(join(tmpdir(), "cloison-layers-"));
  try {
    const plant = (file, imported) => {
      mkdirSync(dirname(join(scratch, file)), { recursive: true });
      const typesOnly = imported?.startsWith("type:");
      const clause = typesOnly ? "import type" : "import";
      const line = imported === null ? "" : `${clause} { x as y } from "${imported.replace("type:", "")}";\n`;
      writeFileSync(join(scratch, file), `${line}export const x = ${imported === null || typesOnly ? "1" : "y"};\n`);
    };
    for (const [file, imported] of Object.entries(allowed)) plant(file, imported);
    for (const [file, imported] of Object.values(planted)) plant(file, imported);
    const { violations, cycles } = await look(scratch);
    const caught = new Set(violations.map(({ rule, from }) => `${rule.name} ${from}`));
    const missed = config.forbidden
      .filter(({ name }) => planted[name] === undefined || !caught.has(`${name} ${planted[name][0]}`))
      .map(({ name }) => `canary: rule ${name} lets the import through that it should forbid`);
    const wrong = violations
      .filter(({ from }) => Object.hasOwn(allowed, from))
      .map(({ rule, from, to }) => `canary: rule ${rule.name} forbids ${from} → ${to}, which is allowed`);
    const circular = cycles.map((cycle) => cycle.join(" ")).join(", ");
    if (circular !== "src/stats/ring-a.ts src/stats/ring-b.ts src/stats/ring-a.ts") {
      wrong.push(`canary: of the two planted cycles, one of them of types, the search found: ${circular || "none"}`);
    }
    return [...missed, ...wrong];
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

const { problems, count } = await checkTree();
problems.push(...(await checkCanary()));
for (const problem of problems) console.log(problem);
console.log(`${count} files, ${config.forbidden.length} rules, ${problems.length} problems`);
process.exitCode = problems.length === 0 ? 0 : 1;
