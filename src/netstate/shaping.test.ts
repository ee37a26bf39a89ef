import { describe, expect, test } from "vitest";
import { shapingCommands } from "../model/shaping-commands.ts";
import { shapingByLink, sameShaping } from "./shaping.ts";

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
    // Its values change in place.
    expect(shapingCommands("eth0", shaping, shaping)).toEqual(commands);
    const other = "delayMs" in shaping && !("rateBitsPerSecond" in shaping) ? { rateBitsPerSecond: 1 } : { delayMs: 1 };
    expect(shapingCommands("eth0", shaping, other)).toEqual(["qdisc del dev eth0 root", ...commands]);
  });

  test("none is what takes away what there is", () => {
    expect(shapingCommands("eth0", undefined, { delayMs: 1 })).toEqual(["qdisc del dev eth0 root"]);
    expect(shapingCommands("eth0", {}, undefined)).toEqual([]);
  });

  test("what the kernel lists is read; qdiscs of others are not", () => {
    const qdisc = { rateBytesPerSecond: null, delayNs: null, loss: null };
    const listed = [
      { ...qdisc, linkIndex: 1, kind: "noqueue" },
      { ...qdisc, linkIndex: 2, kind: "tbf", rateBytesPerSecond: 125_000 },
      { ...qdisc, linkIndex: 3, kind: "netem", delayNs: 10_000_000, loss: 0.00999999977648258 },
      { ...qdisc, linkIndex: 3, kind: "tbf", rateBytesPerSecond: 1_000_000 },
      { ...qdisc, linkIndex: 4, kind: "netem", delayNs: 0, loss: 0.5 },
      { ...qdisc, linkIndex: 5, kind: "htb" },
    ];
    expect([...shapingByLink(listed)]).toEqual([
      [2, { rateBitsPerSecond: 1_000_000 }],
      [3, { delayMs: 10, lossPercent: 1, rateBitsPerSecond: 8_000_000 }],
      [4, { lossPercent: 50 }],
    ]);
  });

  test("rates are the same when the kernel keeps the same", () => {
    expect(sameShaping({ rateBitsPerSecond: 1_000_003 }, { rateBitsPerSecond: 1_000_000 })).toBe(true);
    expect(sameShaping({ rateBitsPerSecond: 1_000_008 }, { rateBitsPerSecond: 1_000_000 })).toBe(false);
    expect(sameShaping(undefined, {})).toBe(true);
    expect(sameShaping({ delayMs: 1 }, { delayMs: 1, lossPercent: 1 })).toBe(false);
  });
});
