import { expect, test } from "vitest";
import { requireAlike } from "./saved-machine.ts";

const WAS = {
  machine: "pc-q35-7.2",
  processor: "emulated",
  hardware: ["-cpu max", "-m 128M", "-device a", "-device b"],
  told: "aaaa",
};

test("a machine like the one that was takes its memory", () => {
  expect(() => requireAlike("www", WAS, { ...WAS, hardware: [...WAS.hardware] })).not.toThrow();
});

test.each([
  [{ machine: "pc-q35-8.0" }, "it had the machine pc-q35-7.2, and has pc-q35-8.0"],
  [{ processor: "Some CPU" }, "it had the processor emulated, and has Some CPU"],
  [{ hardware: ["-cpu max", "-m 256M", "-device a", "-device b"] }, "it had the hardware -m 128M, and has -m 256M"],
  [{ hardware: WAS.hardware.slice(0, 3) }, "it had the hardware -device b, and has nothing"],
  [{ hardware: ["-cpu max", "-m 128M", "-device b", "-device a"] }, "the order of devices"],
  [{ told: "bbbb" }, "it had been told (network, services, files) aaaa, and has bbbb"],
])("another one does not: %j", (changes, says) => {
  expect(() => requireAlike("www", WAS, { ...WAS, ...changes })).toThrow(says);
});
