import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { ExitCode } from "../src/model/error.ts";
import { AtEnd } from "./at-end.ts";
import { describeMachine } from "./machine.ts";
import type { Bench, Row } from "./row.ts";
import { benchTable } from "./table.ts";

/** The benches by name, loaded when they run. */
const benches: Record<string, () => Promise<Bench>> = {
  labs: async () => (await import("./labs.ts")).labsBench,
  "load-client": async () => (await import("./load-client.ts")).loadClientBench,
  networks: async () => (await import("./networks.ts")).networksBench,
  predict: async () => (await import("./predict.ts")).predictBench,
  "random-labs": async () => (await import("./random-labs.ts")).randomLabsBench,
  report: async () => (await import("./report.ts")).reportBench,
};

const usage = `npm run bench [-- NAME… --json FILE --write]
  NAME       ${Object.keys(benches).join(", ")}; default: all
  --json     writes rows and machine to FILE
  --write    writes docs/benchmarks.md (all benches only)`;

const atEnd = new AtEnd();
let interrupted = false;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    if (interrupted) process.exit(ExitCode.interrupted);
    interrupted = true;
    console.error("ending; once more to end at once");
    void atEnd.run().then(
      () => process.exit(ExitCode.interrupted),
      (error: unknown) => {
        console.error(error);
        process.exit(ExitCode.interrupted);
      },
    );
  });
}

async function main(): Promise<void> {
  const options = { json: { type: "string" }, write: { type: "boolean" }, help: { type: "boolean" } } as const;
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  const unknown = positionals.filter((name) => benches[name] === undefined);
  if (values.help === true || unknown.length > 0 || (values.write === true && positionals.length > 0)) {
    console.error(unknown.length > 0 ? `no bench ${unknown.join(", ")}\n${usage}` : usage);
    process.exitCode = values.help === true ? 0 : 2;
    return;
  }
  const rows: Row[] = [];
  for (const [name, load] of Object.entries(benches)) {
    if (positionals.length > 0 && !positionals.includes(name)) continue;
    const bench = await load();
    console.error(`${name} …`);
    try {
      rows.push(...(await bench((line) => console.error(`${name}: ${line}`), atEnd)));
    } finally {
      await atEnd.run();
    }
  }
  const machine = describeMachine();
  const table = benchTable(rows);
  console.log(`${table}\n\n${machine.join("\n")}`);
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({ machine, rows }, null, 2)}\n`);
  if (values.write === true) writeFileSync("docs/benchmarks.md", benchmarksPage(table, machine));
  if (rows.some((row) => !row.met)) process.exitCode = 1;
}

function benchmarksPage(table: string, machine: string[]): string {
  return `# Benchmarks

Written by \`npm run bench -- --write\`. Readings of both sides are taken in turn, at least ten pairs after one that warms up. \`ours\` and \`theirs\` are medians, \`ratio\` is the median of the pairs' ratios, the interval is the one between order statistics (97.9 % for ten pairs), and a row is met only if the interval's worse end passes. For times the ratio is theirs over ours where a speed is asked for.

${table}

Measured on:

${machine.map((fact) => `- ${fact}`).join("\n")}
`;
}

try {
  await main();
} catch (error) {
  // A reading breaks when what it measures is taken away.
  if (!interrupted) throw error;
}
