import { describe, expect, test } from "vitest";
import { parseShaping, sameShaping, shapingCommands } from "./shaping.ts";

describe("shaping", () => {
  test.each([
    [
      { rateBitsPerSecond: 100_000_000 },
      ["qdisc replace dev eth0 root tbf rate 100000000bit burst 125000b limit 750000b"],
    ],
    // At least two frames at once, and twenty waiting.
    [{ rateBitsPerSecond: 64_000 }, ["qdisc replace dev eth0 root tbf rate 64000bit burst 3028b limit 33308b"]],
    [
      { delayMs: 10.5, lossPercent: 1 },
      ["qdisc replace dev eth0 root handle c10: netem limit 100000 delay 10500us loss 1%"],
    ],
    [
      { rateBitsPerSecond: 8_000_000, delayMs: 10 },
      [
        "qdisc replace dev eth0 root handle c10: netem limit 100000 delay 10000us",
        "qdisc replace dev eth0 parent c10:1 tbf rate 8000000bit burst 10000b limit 60000b",
      ],
    ],
  ])("%j", (shaping, commands) => {
    expect(shapingCommands("eth0", shaping, undefined)).toEqual(commands);
    expect(shapingCommands("eth0", shaping, { delayMs: 1 })).toEqual(["qdisc del dev eth0 root", ...commands]);
  });

  test("none is what takes away what there is", () => {
    expect(shapingCommands("eth0", undefined, { delayMs: 1 })).toEqual(["qdisc del dev eth0 root"]);
    expect(shapingCommands("eth0", {}, undefined)).toEqual([]);
  });

  test("what tc lists is read; qdiscs of others are not", () => {
    // netem 6.1 prints seconds and shares of one; the kernel keeps a share in parts of 2^32.
    const listed = [
      { kind: "noqueue", handle: "0:", dev: "lo", root: true, options: {} },
      { kind: "tbf", handle: "1:", dev: "eth0", root: true, options: { rate: 125_000, burst: 12_500, lat: 140_000 } },
      {
        kind: "netem",
        handle: "1:",
        dev: "eth1",
        root: true,
        options: {
          limit: 1000,
          delay: { delay: 0.01, jitter: 0, correlation: 0 },
          "loss-random": { loss: 0.00999999977648258, correlation: 0 },
          ecn: false,
          gap: 0,
        },
      },
      { kind: "tbf", handle: "10:", dev: "eth1", parent: "1:1", options: { rate: 1_000_000 } },
      { kind: "htb", handle: "1:", dev: "eth2", root: true, options: {} },
    ];
    expect([...parseShaping(JSON.stringify(listed))]).toEqual([
      ["eth0", { rateBitsPerSecond: 1_000_000 }],
      ["eth1", { delayMs: 10, lossPercent: 1, rateBitsPerSecond: 8_000_000 }],
    ]);
  });

  test("rates are the same when the kernel keeps the same", () => {
    expect(sameShaping({ rateBitsPerSecond: 1_000_003 }, { rateBitsPerSecond: 1_000_000 })).toBe(true);
    expect(sameShaping({ rateBitsPerSecond: 1_000_008 }, { rateBitsPerSecond: 1_000_000 })).toBe(false);
    expect(sameShaping(undefined, {})).toBe(true);
    expect(sameShaping({ delayMs: 1 }, { delayMs: 1, lossPercent: 1 })).toBe(false);
  });
});
