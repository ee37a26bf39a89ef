import { randomInt } from "node:crypto";
import type { AppContext } from "./app/context.ts";
import { createRealHost } from "./host/real.ts";
import { defaultPaths } from "./lab/paths.ts";
import { startResponder } from "./load/responder.ts";
import { createContainerPlatform } from "./platforms/container/container-platform.ts";
import { createNamespacePlatform } from "./platforms/namespace/namespace-platform.ts";
import { createQemuPlatform } from "./platforms/qemu/qemu-platform.ts";
import { createSharedPlatform } from "./platforms/shared/shared-platform.ts";
import { createXenPlatform } from "./platforms/xen/xen-platform.ts";

/** The composition root: the real host and the concrete platforms are named here only. What is given takes their places. */
export function compose(given: Partial<AppContext> & Pick<AppContext, "version" | "root">): AppContext {
  return {
    host: createRealHost(),
    paths: defaultPaths(process.env),
    platforms: {
      container: createContainerPlatform(),
      shared: createSharedPlatform(),
      namespace: createNamespacePlatform(),
      qemu: createQemuPlatform(),
      xen: createXenPlatform(),
    },
    pid: process.pid,
    node: { path: process.execPath, version: process.version },
    startWebServer: startResponder,
    workingDirectory: process.cwd(),
    environment: process.env,
    isRoot: process.geteuid?.() === 0,
    drawSeed: () => randomInt(2 ** 31),
    install: { kind: "never" },
    say: () => undefined,
    ...given,
  };
}
