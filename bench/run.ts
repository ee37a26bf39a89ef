import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { ExitCode } from "../src/model/error.ts";
import { AtEnd } from "./at-end.ts";
import { benchmarksPage, type WrittenBench } from "./benchmarks-page.ts";
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
  --write    puts these figures into docs/benchmarks.json and docs/benchmarks.md; those of other benches stay`;

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
  if (values.help === true || unknown.length > 0) {
    console.error(unknown.length > 0 ? `no bench ${unknown.join(", ")}\n${usage}` : usage);
    process.exitCode = values.help === true ? 0 : 2;
    return;
  }
  const machine = describeMachine();
  const rows: Row[] = [];
  for (const [name, load] of Object.entries(benches)) {
    if (positionals.length > 0 && !positionals.includes(name)) continue;
    const bench = await load();
    console.error(`${name} …`);
    try {
      const measured = await bench((line) => console.error(`${name}: ${line}`), atEnd);
      rows.push(...measured);
      if (values.write === true) write(name, { measuredOn: today(), machine, rows: measured });
    } finally {
      await atEnd.run();
    }
  }
  console.log(`${benchTable(rows)}\n\n${machine.join("\n")}`);
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({ machine, rows }, null, 2)}\n`);
  if (rows.some((row) => !row.met)) process.exitCode = 1;
}

function write(name: string, bench: WrittenBench): void {
  const file = "docs/benchmarks.json";
  const known = (existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {}) as Record<string, WrittenBench>;
  const written = Object.entries({ ...known, [name]: bench }).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const record = Object.fromEntries(written);
  writeFileSync(file, `${JSON.stringify(record, null, 2)}\n`);
  writeFileSync("docs/benchmarks.md", benchmarksPage(record));
}

const today = () => new Date().toISOString().slice(0, 10);

try {
  await main();
} catch (error) {
  // A reading breaks when what it measures is taken away.
  if (!interrupted) throw error;
}
