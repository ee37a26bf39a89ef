import type { AppContext } from "../src/app/context.ts";
import { compose } from "../src/compose.ts";
import type { Host } from "../src/host/host.ts";

/** The program inside this process, for what is measured without the start of a command. */
export function cloisonApp(host: Host): AppContext {
  return compose({ host, version: "bench", root: process.cwd(), install: { kind: "yes" } });
}
