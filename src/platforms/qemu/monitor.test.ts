import { expect, test } from "vitest";
import { createFakeHost } from "../../host/fake.ts";
import type { Connection } from "../../host/host.ts";
import { LabError } from "../../model/error.ts";
import { guestPaths } from "./guest-paths.ts";
import { askMonitor, parseAnswer } from "./monitor.ts";

const PATHS = guestPaths({ directory: "/state/labs/l", cgroup: "cloison/l" }, "www");
const GREETING = '{"QMP": {"version": {}, "capabilities": []}}\n';

/** A monitor that says these things, one after each that it hears, the first at once. */
function hostWith(says: string[], heard: string[] = []) {
  const connection = (): Connection => {
    let wake: () => void = () => undefined;
    let allowed = 1;
    return {
      async write(bytes) {
        heard.push(String(bytes).trim());
        allowed++;
        wake();
      },
      async *[Symbol.asyncIterator]() {
        for (const [i, text] of says.entries()) {
          while (allowed <= i) await new Promise<void>((resolve) => (wake = resolve));
          yield Buffer.from(text);
        }
      },
      close: () => undefined,
    };
  };
  const host = createFakeHost({ connect: connection });
  // Virtual time would be over at once.
  host.clock.sleep = () => new Promise(() => undefined);
  return host;
}

test("a command is asked after the greeting, and events are passed over", async () => {
  const heard: string[] = [];
  const host = hostWith(
    [GREETING, '{"return": {}}\n', '{"event": "STOP"}\n{"return": {"status": "running"}}\n'],
    heard,
  );
  expect(await askMonitor(host, PATHS, [{ execute: "query-status" }])).toEqual([{ status: "running" }]);
  expect(heard).toEqual(['{"execute":"qmp_capabilities"}', '{"execute":"query-status"}']);
});

test("a refusal, an end and nonsense are told", async () => {
  const ask = (...says: string[]) => askMonitor(hostWith([GREETING, ...says]), PATHS, [{ execute: "cont" }]);
  await expect(ask('{"return": {}}\n', '{"error": {"class": "GenericError", "desc": "no"}}\n')).rejects.toThrow(
    "QEMU refuses cont: no",
  );
  await expect(ask('{"return": {}}\n')).rejects.toThrow("QEMU ended while it was asked for cont");
  await expect(ask("x".repeat(3 * 2 ** 20))).rejects.toThrow("sends more than it was asked for");
  for (const line of ["", "no", "[1]", "null", '{"a": 1}']) expect(() => parseAnswer(line)).toThrow(LabError);
});

test("a QEMU that ends before it has heard is told as one that ended", async () => {
  const host = createFakeHost({
    connect: () => ({
      write: () => Promise.reject(Object.assign(new Error("write"), { code: "EPIPE" })),
      async *[Symbol.asyncIterator]() {
        yield Buffer.from(GREETING);
      },
      close: () => undefined,
    }),
  });
  host.clock.sleep = () => new Promise(() => undefined);
  await expect(askMonitor(host, PATHS, [])).rejects.toThrow("QEMU ended while it was asked");
});

test("nobody there is no error", async () => {
  const host = createFakeHost({
    connect: () => {
      throw Object.assign(new Error("connect"), { code: "ECONNREFUSED" });
    },
  });
  expect(await askMonitor(host, PATHS, [])).toBeNull();
});
