import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";

/**
 * Arguments for Node that run the client process (`client-process`) or the responder (`responder-process`): the bundle
 * beside this one, or in a source tree the TypeScript file, through tsx.
 */
export function processEntry(name: "client-process" | "responder-process"): string[] {
  const here = import.meta.url;
  if (!here.endsWith(".ts")) {
    const bundle = { "client-process": "load-client.mjs", "responder-process": "responder.cjs" }[name];
    return [fileURLToPath(new URL(bundle, here))];
  }
  const loader = pathToFileURL(createRequire(here).resolve("tsx")).href;
  return ["--import", loader, fileURLToPath(new URL(`${name}.ts`, here))];
}

/**
 * Starts a worker thread that runs `entry`. tsx does not follow into threads by itself, so a TypeScript file is loaded
 * behind its `register`.
 */
export function startThread(entry: URL, data: unknown): Worker {
  if (!entry.pathname.endsWith(".ts")) return new Worker(entry, { workerData: data });
  const loader = import.meta.resolve("tsx/esm/api");
  const script = `import(${JSON.stringify(loader)}).then(({ register }) => { register(); return import(${JSON.stringify(entry.href)}); });`;
  return new Worker(script, { eval: true, workerData: data });
}
