import { installPackages, missingPackages } from "../host/debian-packages.ts";
import { ExitCode, LabError } from "../model/error.ts";
import type { AppContext } from "./context.ts";

/** Makes sure that Debian packages are there, as the user's policy allows. @throws LabError with the one command to run */
export async function requirePackages(app: AppContext, names: string[]): Promise<void> {
  const missing = await missingPackages(app.host, names);
  if (missing.length === 0) return;
  const remedy = `${app.isRoot ? "" : "sudo "}apt-get install ${missing.join(" ")}`;
  const refused = () =>
    new LabError(`these Debian packages are missing: ${missing.join(" ")}`, {
      hint: remedy,
      exit: ExitCode.unavailable,
    });
  if (!app.isRoot || app.install.kind === "never") throw refused();
  if (app.install.kind === "ask") {
    if (!(await app.install.confirm(`Install these Debian packages: ${missing.join(" ")}?`))) throw refused();
  } else app.say(`installing Debian packages: ${missing.join(" ")}`);
  await installPackages(app.host, missing, { onProgress: app.say });
}

/** Programs that every lab runs. */
export const LAB_PACKAGES = ["iproute2", "nftables", "dnsmasq-base", "util-linux"];

/** @throws LabError: making a lab needs root */
export function requireRoot(app: AppContext, verb: string): void {
  if (!app.isRoot) {
    throw new LabError(`cloison ${verb} needs root: it makes namespaces, mounts and control groups`, {
      hint: `sudo ./cloison ${verb} …`,
      exit: ExitCode.unavailable,
    });
  }
}
