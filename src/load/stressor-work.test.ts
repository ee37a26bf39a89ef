import { describe, expect, test } from "vitest";
import { isAtWork, stressorWork } from "./stressor-work.ts";

/** As stress-ng 0.15 writes it, messages and YAML on one stream. */
const stressNg = (stressor: string, ops: number) => `stress-ng: info:  [7] defaulting to a 86400 second run per stressor
---
system-info:
      stress-ng-version: 0.15.06
metrics:
    - stressor: ${stressor}
      bogo-ops: ${ops}
      bogo-ops-per-second-usr-sys-time: 1307.189542
...
stress-ng: info:  [7] successful run completed in 2.00s
`;

const fio = (read: number, write: number) =>
  `${JSON.stringify(
    {
      "fio version": "fio-3.33",
      jobs: [
        { read: { io_bytes: 0 }, write: { io_bytes: write } },
        { read: { io_bytes: read }, write: { io_bytes: 0 } },
      ],
    },
    null,
    2,
  )}\n`;

describe("stressorWork", () => {
  test("reads stress-ng's counters", () => {
    expect(stressorWork("cpu", stressNg("cpu", 4711))).toEqual({ work: 4711, unit: "loops" });
    expect(stressorWork("fork", stressNg("fork", 900))).toEqual({ work: 900, unit: "processes" });
    expect(stressorWork("memory", stressNg("bigheap", 3))).toEqual({ work: 3 * 16 * 2 ** 20, unit: "bytes touched" });
  });

  test("adds fio's passes, with its messages between them", () => {
    const output = `${fio(0, 100)}\nfio: terminating on signal 15\n${fio(30, 7)}`;
    expect(stressorWork("disk", output)).toEqual({ work: 137, unit: "bytes written and read" });
  });

  test("leaves out a report that was cut short", () => {
    expect(stressorWork("disk", fio(0, 100) + fio(30, 7).slice(0, -10)).work).toBe(100);
  });

  test("counts the datagrams that were sent, or that arrived", () => {
    const report = (sum: object) =>
      `${JSON.stringify({ end: { sum }, error: "interrupt - the client has terminated" }, null, "\t")}\n`;
    expect(stressorWork("net-transmit", report({ packets: 5000, lost_packets: 0 }))).toEqual({
      work: 5000,
      unit: "datagrams",
    });
    expect(stressorWork("net-receive", report({ packets: 5000, lost_packets: 1200 }))).toEqual({
      work: 3800,
      unit: "datagrams",
    });
  });

  test("a tool that said nothing did nothing", () => {
    for (const kind of ["cpu", "memory", "fork", "disk", "net-transmit", "net-receive"] as const) {
      expect(stressorWork(kind, "Killed\n").work).toBe(0);
    }
  });
});

test("a stressor is at work when its tool says that it has begun, or the script that becomes it", () => {
  const messages = [
    "stress-ng: info:  [7] defaulting to a 86400 second run",
    "stress-ng: info:  [7] dispatching hogs: 1 cpu",
  ];
  expect(isAtWork("cpu", messages[0] ?? "")).toBe(false);
  expect(isAtWork("cpu", messages.join("\n"))).toBe(true);
  expect(isAtWork("disk", "")).toBe(false);
  expect(isAtWork("disk", "cloison: at work\n")).toBe(true);
});
