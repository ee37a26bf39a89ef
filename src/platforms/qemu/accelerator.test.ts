import { expect, test } from "vitest";
import { createFakeHost } from "../../host/fake.ts";
import { LabError } from "../../model/error.ts";
import { tryAccelerator } from "./accelerator.ts";

const answering = (answer: () => { code: number }) =>
  createFakeHost({ answers: ({ argv }) => (argv[0] === "qemu-system-x86_64" ? answer() : undefined) });

test("an accelerator works when its guest has said so", async () => {
  expect(
    await tryAccelerator(
      answering(() => ({ code: 33 })),
      "tcg",
    ),
  ).toEqual({ works: true });
  expect(
    await tryAccelerator(
      answering(() => ({ code: 0 })),
      "kvm",
    ),
  ).toEqual({ works: false, reason: "QEMU ended with 0" });
});

test("without QEMU none works, and the reason is told", async () => {
  const without = answering(() => {
    throw new LabError("there is no program qemu-system-x86_64");
  });
  expect(await tryAccelerator(without, "tcg")).toEqual({
    works: false,
    reason: "there is no program qemu-system-x86_64",
  });
});
