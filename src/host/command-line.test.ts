import { expect, test } from "vitest";
import { commandLine } from "./command-line.ts";

const nothing = { cgroupDirectories: [], namespacePath: null, detached: true };

test("a bare command is itself", () => {
  expect(commandLine({ argv: ["ls", "-l"] }, nothing)).toEqual(["ls", "-l"]);
});

test("the control groups are joined first, the namespace is entered last", () => {
  const line = commandLine(
    { argv: ["ping", "a b"], cpus: [1, 3], nice: -5, timeoutMs: 2500 },
    { cgroupDirectories: ["/cg/cpu/cloison/x", "/cg/pids/cloison/x"], namespacePath: "/run/netns/n", detached: false },
  );
  expect(line.slice(0, 2)).toEqual(["sh", "-c"]);
  expect(line.slice(3).join(" ")).toBe(
    "join-cgroups 2 /cg/cpu/cloison/x/cgroup.procs /cg/pids/cloison/x/cgroup.procs " +
      "setpriv --pdeathsig TERM -- taskset -c 1,3 nice -n -5 nsenter --net=/run/netns/n -- ping a b",
  );
});

test("a detached program's deadline does not hang on its starter", () => {
  expect(commandLine({ argv: ["sleep", "9"], timeoutMs: 2500 }, nothing)).toEqual([
    "timeout",
    "--signal=KILL",
    "3.5s",
    "sleep",
    "9",
  ]);
});
