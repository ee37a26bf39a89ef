import { expect, test } from "vitest";
import { createFakeHost } from "../../host/fake.ts";
import { describeEnd } from "./guest-end.ts";
import { guestPaths } from "./guest-paths.ts";

const PATHS = guestPaths({ directory: "/l", cgroup: "cloison/l" }, "www");

test.each([
  [
    "[ 1.0] \u001b[2JKernel panic - not syncing: Attempted to kill init!\n",
    "ended with 0\n",
    /^its kernel panicked: Kernel panic/,
  ],
  ["cloison: the guest is up\ncloison: the guest is told to go\n", "ended with 0\n", /^it was shut down$/],
  ["cloison: the services have ended, and the domain with them\n", "ended with 0\n", /^the services have ended/],
  ["cloison: the guest cannot start: it has no disks\n", "ended with 0\n", /^the guest cannot start: it has no disks$/],
  ["", "ended with 0\n", /too little memory$/],
  ["cloison: the guest is up\n", "ended with 0\n", /^it was reset, or switched itself off$/],
  ["cloison: the guest is up\n", "Killed\nended with 137\n", /^its QEMU was killed/],
  [
    "cloison: the guest is up\n",
    "qemu-system-x86_64: ../block/x.c:1: f: Assertion `a' failed.\nAborted\nended with 134\n",
    /^QEMU has a fault: .*x\.c:1: f: Assertion/,
  ],
  ["cloison: the guest is up\n", "", /^its QEMU was killed/],
  [
    "",
    "qemu-system-x86_64: warning: x\nqemu-system-x86_64: no such tap\nended with 1\n",
    /ended with 1: .*no such tap$/,
  ],
])("console %j and QEMU %j", async (console, emulator, told) => {
  const host = createFakeHost({ files: { [PATHS.console]: console, [PATHS.emulatorLog]: emulator } });
  expect(await describeEnd(host, PATHS)).toMatch(told);
});
