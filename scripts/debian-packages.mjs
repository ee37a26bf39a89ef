// Installs the Debian packages of debian-packages.txt that the machine lacks. Plain Node.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";

const list = new URL("debian-packages.txt", import.meta.url);
/** Asked by a package's scripts before they start a service: 101 forbids it. */
const policy = "/usr/sbin/policy-rc.d";

/**
 * As root, installs what is missing, starts no service, and says so before. Otherwise, or when it fails, says what to
 * run: the suites that need it then skip (or fail, with CLOISON_REQUIRE) and name what they lack.
 */
export function installDebianPackages(say) {
  const missing = missingPackages();
  if (missing.length === 0) return;
  const byHand = `apt-get install --no-install-recommends ${missing.join(" ")}`;
  if (process.geteuid() !== 0 || process.env.CLOISON_NO_INSTALL) {
    say(`not installed, and some suites want it; as root: ${byHand}`);
    return;
  }
  say(`installing Debian packages: ${missing.join(" ")}`);
  const policyIsOurs = !existsSync(policy);
  if (policyIsOurs) writeFileSync(policy, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  try {
    const installed = (!listsMissing() && aptInstall(missing)) || (apt(["update"]) && aptInstall(missing));
    if (!installed) say(`apt failed; its own messages are above. By hand: ${byHand}`);
  } finally {
    if (policyIsOurs) rmSync(policy, { force: true });
  }
}

function missingPackages() {
  const wanted = readFileSync(list, "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  const query = ["-W", "-f", "${db:Status-Abbrev} ${binary:Package}\n", ...wanted];
  const known = spawnSync("dpkg-query", query, { encoding: "utf8" });
  // No dpkg: not Debian, and nothing that apt could do.
  if (known.error?.code === "ENOENT") return [];
  const installed = known.stdout.split("\n").filter((line) => line.startsWith("ii "));
  const names = new Set(installed.map((line) => line.slice(3).trim().split(":")[0]));
  return wanted.filter((name) => !names.has(name));
}

function listsMissing() {
  const lists = "/var/lib/apt/lists";
  return !existsSync(lists) || !readdirSync(lists).some((name) => name.includes("Packages"));
}

function aptInstall(packages) {
  return apt(["install", "--no-install-recommends", "--yes", ...packages]);
}

function apt(args) {
  const done = spawnSync("apt-get", ["-qq", "-o", "DPkg::Lock::Timeout=600", ...args], {
    stdio: ["ignore", 2, 2],
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive", NEEDRESTART_SUSPEND: "1" },
  });
  return done.status === 0;
}
