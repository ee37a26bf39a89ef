import { ExitCode, LabError } from "../model/error.ts";
import type { Finished, Host } from "./host.ts";

interface InstallOptions {
  onProgress?: (line: string) => void;
}

const LISTS = "/var/lib/apt/lists";

/** How long to wait for somebody else's apt or dpkg, unattended upgrades for one. */
const LOCK_TIMEOUT_S = 300;

/** The command that runs another one during which nobody's maintainer scripts start a service. Needs root. */
export function withoutServices(argv: string[]): [string, ...string[]] {
  return ["unshare", "--mount", "sh", "-c", WITHOUT_SERVICES, "without-services", ...argv];
}

/**
 * Runs what follows with a policy that forbids maintainer scripts to start services (invoke-rc.d and deb-systemd-invoke ask
 * /usr/sbin/policy-rc.d; 101 means no). The policy is mounted in a mount namespace of this shell's own, so that nobody else's
 * installation sees it, and nothing is left of it however this ends. A file to mount it on has to be there: an empty one that is not
 * executable, which means the same as none, should a crash leave it.
 */
const WITHOUT_SERVICES = `
set -e
policy=/usr/sbin/policy-rc.d
[ -e "$policy" ] || : > "$policy"
mount -t tmpfs -o mode=0755 cloison-policy /mnt
printf '#!/bin/sh\\nexit 101\\n' > /mnt/policy-rc.d
chmod 0755 /mnt/policy-rc.d
mount --bind /mnt/policy-rc.d "$policy"
umount /mnt
status=0
"$@" || status=$?
umount "$policy"
if [ -f "$policy" ] && [ ! -s "$policy" ] && [ ! -x "$policy" ]; then rm "$policy"; fi
exit "$status"
`;

/** Those of the packages that are not installed, in the order given. Whether a thing works is for its user to try. */
export async function missingPackages(host: Host, names: string[]): Promise<string[]> {
  if (names.length === 0) return [];
  // Exits with 1 when it has never heard of one, and lists the others.
  const shown = await host.processes.run({
    argv: ["dpkg-query", "--show", "--showformat=${Package}\\t${db:Status-Status}\\n", ...names],
  });
  const installed = new Set<string>();
  for (const line of shown.stdout.split("\n")) {
    const [name, status] = line.split("\t");
    if (name !== undefined && status === "installed") installed.add(name);
  }
  return names.filter((name) => !installed.has(name));
}

/** The line that a user types to install the packages. */
export function installCommand(names: string[]): string {
  return `sudo apt-get install --no-install-recommends ${names.join(" ")}`;
}

/**
 * Installs the packages that are missing, through the machine's apt as it is configured; starts no service. Packages with
 * services are set up to start at the next boot, as Debian does. Not interruptible: half an installation is worse than a long one.
 *
 * Throws LabError: not root (with the line to type; exit `unavailable`), or what apt says.
 */
export async function installPackages(host: Host, names: string[], options: InstallOptions = {}): Promise<void> {
  const missing = await missingPackages(host, names);
  if (missing.length === 0) return;
  if ((await host.processes.must({ argv: ["id", "-u"] })).trim() !== "0") {
    throw new LabError(`Debian packages are missing: ${missing.join(", ")}`, {
      hint: `run: ${installCommand(missing)}`,
      exit: ExitCode.unavailable,
    });
  }
  const say = options.onProgress ?? (() => undefined);
  let updated = false;
  if (!(await host.files.list(LISTS)).some((name) => /_Packages(\.\w+)?$/.test(name))) {
    await update(host, say);
    updated = true;
  }
  say(`installing ${missing.join(", ")}`);
  let finished = await install(host, missing);
  if (
    finished.code !== 0 &&
    !updated &&
    /Unable to locate|no installation candidate|404 +Not Found|Failed to fetch/.test(textOf(finished))
  ) {
    await update(host, say);
    say(`installing ${missing.join(", ")}`);
    finished = await install(host, missing);
  }
  const left = await missingPackages(host, missing);
  if (finished.code === 0 && left.length === 0) return;
  const complaint = textOf(finished)
    .split("\n")
    .filter((line) => /^(E|W|Err|dpkg):? ?/.test(line))
    .slice(-6);
  throw new LabError(
    [`apt could not install ${(left.length > 0 ? left : missing).join(", ")}`, ...complaint].join("\n"),
    {
      hint: `see what this says: ${installCommand(missing)}`,
      exit: ExitCode.unavailable,
    },
  );
}

/** A vendor's dead source is no reason to stop: whether Debian's lists have come shows when packages are installed. */
async function update(host: Host, say: (line: string) => void): Promise<void> {
  say("fetching Debian's package lists");
  await host.processes.run({ argv: ["apt-get", "update", "-q", ...LOCK_OPTION], env: QUIET });
}

async function install(host: Host, names: string[]): Promise<Finished> {
  const apt = ["apt-get", "install", "-q", "-y", "--no-install-recommends", ...LOCK_OPTION, ...names];
  return await host.processes.run({ argv: withoutServices(apt), env: QUIET });
}

const LOCK_OPTION = ["-o", `DPkg::Lock::Timeout=${LOCK_TIMEOUT_S}`];

/** No questions, no changelogs, and nobody who restarts services afterwards. */
const QUIET = {
  DEBIAN_FRONTEND: "noninteractive",
  APT_LISTCHANGES_FRONTEND: "none",
  NEEDRESTART_SUSPEND: "1",
  LC_ALL: "C.UTF-8",
};

function textOf(finished: Finished): string {
  return `${finished.stdout}\n${finished.stderr}`;
}
