import type { AppContext } from "../src/app/context.ts";
import type { Host } from "../src/host/host.ts";
import { defaultPaths } from "../src/lab/paths.ts";
import { startResponder } from "../src/load/responder.ts";
import { createContainerPlatform } from "../src/platforms/container/container-platform.ts";
import { createNamespacePlatform } from "../src/platforms/namespace/namespace-platform.ts";
import { createSharedPlatform } from "../src/platforms/shared/shared-platform.ts";

/** The program inside this process, for what is measured without the start of a command. */
export function cloisonApp(host: Host): AppContext {
  return {
    host,
    paths: defaultPaths(process.env),
    platforms: {
      container: createContainerPlatform(),
      shared: createSharedPlatform(),
      namespace: createNamespacePlatform(),
    },
    pid: process.pid,
    startWebServer: startResponder,
    version: "bench",
    root: process.cwd(),
    workingDirectory: process.cwd(),
    environment: process.env,
    isRoot: process.geteuid?.() === 0,
    drawSeed: () => 1,
    install: { kind: "yes" },
    say: () => undefined,
  };
}
