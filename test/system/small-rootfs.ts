import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * A root file system of the machine's own busybox and tini (both static), in place of one that mmdebstrap takes a while to
 * build. `/var/run` is a symbolic link that leads out when it is followed from outside, as in Debian.
 */
export function makeSmallRootfs(directory: string): string {
  for (const path of ["usr/bin", "etc", "proc", "sys", "dev", "root", "run", "tmp", "var"]) {
    mkdirSync(join(directory, path), { recursive: true });
  }
  symlinkSync("usr/bin", join(directory, "bin"));
  symlinkSync("/run", join(directory, "var/run"));
  copyFileSync(realpathSync("/bin/busybox"), join(directory, "usr/bin/busybox"));
  copyFileSync("/usr/bin/tini-static", join(directory, "usr/bin/tini"));
  const applets = execFileSync("/bin/busybox", ["--list"], { encoding: "utf8" }).trim().split("\n");
  for (const applet of applets.filter((name) => name !== "busybox"))
    symlinkSync("busybox", join(directory, "usr/bin", applet));
  writeFileSync(join(directory, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\nguest:x:1000:1000::/:/bin/sh\n");
  return directory;
}
