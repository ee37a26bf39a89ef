import { expect, test } from "vitest";
import { smallestKernel } from "./smallest-kernel.ts";

test("the smallest kernel begins at its hypercall, and says that it is one for Xen", () => {
  const kernel = smallestKernel();
  const entry = Number(kernel.readBigUInt64LE(24));
  // mov eax, 29
  expect(kernel.subarray(entry, entry + 5).toString("hex")).toBe("b81d000000");
  expect(kernel.includes("xen-3.0\0")).toBe(true);
  expect(kernel.length).toBeLessThan(512);
});
