import { expect, test } from "vitest";
import { createFakeHost } from "../host/fake.ts";
import { switchInstance } from "./instance.ts";
import { startSwitches, switchesRun } from "./lifecycle.ts";

const instance = switchInstance("/run/cloison", "cloison.demo.host", [0]);
const files = {
  "/run/cloison/demo/switch.host/ovsdb-server.pid": "11\n",
  "/run/cloison/demo/switch.host/ovs-vswitchd.pid": "12\n",
};

test("a socket's path fits, whatever the names of lab, part and switch", () => {
  const longest = switchInstance("/run/cloison", `cloison.${"l".repeat(30)}.lan`, []);
  // sockaddr_un has 108 bytes with the NUL; an interface's name 15 characters.
  expect(`${longest.directory}/${"s".repeat(15)}.mgmt`.length).toBeLessThan(108);
});

test("the instance runs when both of its programs are in its control group", async () => {
  const runs = (pids: number[]) => switchesRun(createFakeHost({ files, pids: { [instance.cgroup]: pids } }), instance);
  expect(await runs([11, 12])).toBe(true);
  expect(await runs([11])).toBe(false);
  expect(await runs([11, 13])).toBe(false);
  expect(await runs([])).toBe(false);
});

test("what runs is let alone", async () => {
  const host = createFakeHost({ files, pids: { [instance.cgroup]: [11, 12] } });
  await startSwitches(host, instance);
  expect(host.records).toEqual([]);
});

test("the instance is started with sockets, files and limits of its own, on its CPUs, in the namespace", async () => {
  const host = createFakeHost({ namespaces: [] });
  await startSwitches(host, instance);
  expect(host.records.map((line) => line.replaceAll(instance.directory, "DIRECTORY"))).toMatchSnapshot();
});

test("a missing program is told with its package", async () => {
  const host = createFakeHost();
  host.processes.must = async () => {
    const { LabError, ExitCode } = await import("../model/error.ts");
    throw new LabError("ovsdb-tool is not installed", { exit: ExitCode.unavailable });
  };
  await expect(startSwitches(host, instance)).rejects.toMatchObject({ hint: "apt-get install openvswitch-switch" });
});
