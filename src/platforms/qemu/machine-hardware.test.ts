import { expect, test } from "vitest";
import { hardwareOf } from "./machine-hardware.ts";

test("of QEMU's command line only what a guest sees", () => {
  expect(hardwareOf(["-name", "www", "-m", "128M", "-nodefaults", "-device", "x,y"])).toEqual([
    "-m 128M",
    "-device x,y",
  ]);
});
