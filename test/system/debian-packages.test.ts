import { existsSync, readFileSync, statSync } from "node:fs";
import { expect, test } from "vitest";
import { missingPackages, withoutServices } from "../../src/host/debian-packages.ts";
import { createRealHost } from "../../src/host/real.ts";
import { needs } from "../needs.ts";

const host = createRealHost();
const POLICY = "/usr/sbin/policy-rc.d";
const policy = () => (existsSync(POLICY) ? { text: readFileSync(POLICY, "utf8"), mode: statSync(POLICY).mode } : null);

needs("root", "netns")("an installation", () => {
  test("runs under a policy that forbids to start services; the machine's own stays as it was", async () => {
    const before = policy();
    // A machine whose policy allows everything, in a mount namespace of the test.
    const allowing = `[ ! -e ${POLICY} ] || { printf '#!/bin/sh\\nexit 0\\n' > /mnt/allow; chmod 755 /mnt/allow; mount --bind /mnt/allow ${POLICY}; }`;
    const asked = withoutServices(["sh", "-c", `${POLICY} apache2 start; echo "policy $?"; exit 7`]);
    const finished = await host.processes.run({
      argv: ["unshare", "--mount", "sh", "-ec", `mount -t tmpfs t /mnt; ${allowing}; exec "$@"`, "machine", ...asked],
    });
    expect(finished).toMatchObject({ code: 7, stdout: "policy 101\n" });
    expect(policy()).toEqual(before);
  });

  test("knows what is installed", async () => {
    expect(await missingPackages(host, ["dpkg", "no-such-package-anywhere", "apt"])).toEqual([
      "no-such-package-anywhere",
    ]);
  });
});
