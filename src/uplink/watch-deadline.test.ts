import { expect, test } from "vitest";
import { createFakeHost, type FakeHost } from "../host/fake.ts";
import { confirmUplink } from "./confirm-uplink.ts";
import { uplinkRecord } from "./fixture.ts";
import { leaveUplink } from "./leave-uplink.ts";
import { watchDeadline } from "./watch-deadline.ts";

const FILES = { record: "/labs/demo/uplink-0.json", lock: "/run/uplink.lock", cgroup: "cloison/_uplink/demo.0" };

/** A machine on which the card is as it was before, and which was started 100 s ago. */
function machine(record: object | null, { namespace = "net:[1]", locked = false } = {}): FakeHost {
  const card = {
    ifindex: 7,
    ifname: "eth1",
    flags: ["UP"],
    mtu: 1500,
    link_type: "ether",
    address: "02:00:00:00:00:07",
    addr_info: [],
  };
  const host = createFakeHost({
    files: record === null ? {} : { [FILES.record]: JSON.stringify(record) },
    ...(locked ? { locked: [FILES.lock] } : {}),
    answers: ({ argv }) => {
      if (argv[0] === "readlink") return { stdout: `${namespace}\n` };
      return { stdout: argv.includes("address") ? JSON.stringify([card]) : "[]" };
    },
  });
  const { readText } = host.files;
  host.files.readText = async (path) =>
    path === "/proc/uptime" ? `${100 + host.clock.monotonicMs() / 1000} 0.00\n` : readText.call(host.files, path);
  return host;
}
const silent = () => undefined;

test("at the deadline the card is put back, and it says so to whoever confirms later", async () => {
  const host = machine(uplinkRecord());
  expect(await watchDeadline(host, FILES, silent)).toBe("rolled back");
  expect(host.clock.monotonicMs()).toBeGreaterThanOrEqual(60_000);
  expect(host.files.texts.has(FILES.record)).toBe(false);
  expect(await confirmUplink(host, FILES)).toEqual({ interface: "eth1", outcome: "too late" });
});

test("what is confirmed in time stays; the watchdog is ended", async () => {
  const host = machine(uplinkRecord());
  host.advance(59_900);
  expect(await confirmUplink(host, FILES)).toEqual({ interface: "eth1", outcome: "confirmed" });
  expect(host.records).toContain(`destroy cgroup ${FILES.cgroup}`);
  host.advance(1_000_000);
  expect(await watchDeadline(host, FILES, silent)).toBe("confirmed");
  expect(await confirmUplink(host, FILES)).toEqual({ interface: "eth1", outcome: "confirmed already" });
});

test("a confirmation after the deadline puts back by itself, should the watchdog be gone", async () => {
  const host = machine(uplinkRecord());
  host.advance(60_000);
  expect(await confirmUplink(host, FILES)).toEqual({ interface: "eth1", outcome: "too late" });
  expect(host.files.texts.has(FILES.record)).toBe(false);
});

test("without a deadline there is nothing to confirm; without a record there is nothing", async () => {
  expect(await confirmUplink(machine(uplinkRecord({ confirm: null })), FILES)).toEqual({
    interface: "eth1",
    outcome: "needs none",
  });
  expect(await confirmUplink(machine(null), FILES)).toBeNull();
  expect(await watchDeadline(machine(null), FILES, silent)).toBe("gone");
});

test("a record of an earlier boot is none", async () => {
  const host = machine(uplinkRecord({ bootId: "another" }));
  expect(await leaveUplink(host, FILES)).toBe("nothing to do");
});

test("in another network namespace nothing is touched, and the record stays", async () => {
  const host = machine(uplinkRecord(), { namespace: "net:[2]" });
  await expect(leaveUplink(host, FILES)).rejects.toThrow("from another network namespace, net:[1]");
  expect(host.files.texts.has(FILES.record)).toBe(true);
  expect(host.records.filter((line) => line.includes("-batch"))).toEqual([]);
});

test("while somebody else is at work, whoever comes waits, then says so", async () => {
  const host = machine(uplinkRecord(), { locked: true });
  await expect(confirmUplink(host, FILES)).rejects.toMatchObject({ exit: 4 });
});
