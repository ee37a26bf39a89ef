import { withTrials } from "../lab/trials.ts";
import { ExitCode, LabError } from "../model/error.ts";
import type { PlatformName } from "../model/lab.ts";
import type { Unavailable } from "../platforms/platform.ts";
import type { AppContext } from "./context.ts";
import { LAB_PACKAGES, requirePackages } from "./packages.ts";
import { rememberTrial, wasTried } from "./tried-platforms.ts";

/**
 * Installs what a platform needs and tries it; once it has worked, not again until the machine has changed.
 * @throws LabError that says why it can't run here
 */
export async function requirePlatform(app: AppContext, name: PlatformName): Promise<void> {
  if (await wasTried(app, name)) return;
  const platform = app.platforms[name];
  const unfit = (await platform.unfit?.(app.host)) ?? null;
  if (unfit !== null) throw doesNotWork(name, unfit);
  await requirePackages(app, [...LAB_PACKAGES, ...platform.packages, ...(platform.needsImages ? ["mmdebstrap"] : [])]);
  const support = await withTrials(app, () => platform.check(app.host));
  if (!support.available) throw doesNotWork(name, support);
  // What has to be known is said each time.
  if (support.notice === undefined) await rememberTrial(app, name);
  else app.say(support.notice);
}

const doesNotWork = (name: PlatformName, { reason, remedy }: Unavailable) =>
  new LabError(`platform ${name} does not work here: ${reason}`, { hint: remedy, exit: ExitCode.unavailable });
