import { triedFile } from "../lab/paths.ts";
import type { PlatformName } from "../model/lab.ts";
import type { AppContext } from "./context.ts";

/** Debian's list of installed packages; dpkg replaces it with every change. */
const INSTALLED = "/var/lib/dpkg/status";

type Tried = Pick<AppContext, "host" | "paths" | "version">;

/**
 * Whether the platform was tried with success and all still is as it was then: the boot, Cloison, the packages. A trial takes
 * as long as several domains do.
 */
export async function wasTried(app: Tried, platform: PlatformName): Promise<boolean> {
  return (await app.host.files.readTextIfExists(triedFile(app.paths, platform))) === (await circumstances(app));
}

export async function rememberTrial(app: Tried, platform: PlatformName): Promise<void> {
  await app.host.files.writeText(triedFile(app.paths, platform), await circumstances(app));
}

/** The next one tries again: something else has changed that matters. */
export async function forgetTrial(app: Tried, platform: PlatformName): Promise<void> {
  await app.host.files.remove(triedFile(app.paths, platform));
}

async function circumstances({ host, version }: Tried): Promise<string> {
  return `${host.machine.bootId} ${version} ${await host.files.stamp(INSTALLED)}\n`;
}
