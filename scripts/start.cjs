// Runs the bundled program; the build puts it beside it as dist/cloison.cjs. What V8 has compiled is kept for the next run of
// the same verb, beside the program: compiling it anew would be a third of a short command.
"use strict";
const { readFileSync, renameSync, statSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");
const { Script } = require("node:vm");

const program = join(__dirname, "program.cjs");

if (process.env.CLOISON_DEBUG) {
  // Only Node's own loader reads source maps.
  require(program);
} else {
  runCompiled();
}

function runCompiled() {
  const verb = process.argv.slice(2).find((word) => /^[a-z]+$/.test(word)) ?? "none";
  // V8 itself refuses what another version compiled, but tells sources apart by their length only.
  const cache = join(__dirname, `program-${statSync(program).mtimeMs}-${verb}.compiled`);
  const script = new Script(`(function (require, __filename, __dirname) {${readFileSync(program, "latin1")}\n})`, {
    filename: program,
    cachedData: read(cache),
  });
  if (script.cachedDataRejected !== false) {
    process.once("exit", (code) => {
      if (code === 0) keep(cache, script.createCachedData());
    });
  }
  script.runInThisContext()(require, program, __dirname);
}

function read(cache) {
  try {
    return readFileSync(cache);
  } catch {
    return undefined;
  }
}

function keep(cache, compiled) {
  const beside = `${cache}.${process.pid}`;
  try {
    writeFileSync(beside, compiled);
    renameSync(beside, cache);
  } catch {
    // Whoever may not write here compiles each time.
  }
}
