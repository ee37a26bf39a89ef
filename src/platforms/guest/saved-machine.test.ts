import { expect, test } from "vitest";
import { ExitCode } from "../../model/error.ts";
import { requireAlike, requireAlikeHere } from "./saved-machine.ts";

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

test.each([
  [{ machine: "pc-q35-8.0" }, "the same version of QEMU"],
  [{ processor: "Some CPU" }, "the same processor"],
  [{ hardware: [] }, "as many CPUs, and the same version of cloison"],
  [{ told: "bbbb" }, "the same version of cloison"],
])("a host where it would be another one says what hosts have to have in common: %j", (changes, common) => {
  const exit = ExitCode.unavailable;
  expect(() => requireAlikeHere("www", WAS, { ...WAS, ...changes })).toThrow(
    expect.objectContaining({ hint: `hosts have to have ${common}`, exit }),
  );
});
