import { expect, test, vi } from "vitest";
import { applyNetwork } from "../netstate/apply.ts";
import { createFixture, domainPlan, labPlan, ROOTS } from "./fixture.ts";
import { startDomain } from "./start-domain.ts";

vi.mock("../netstate/apply.ts", () => ({ applyNetwork: vi.fn() }));

test.each([
  { platform: "qemu", brings: [] },
  { platform: "xen", brings: ["apply network"] },
] as const)("a domain of $platform is in the network when it has been started", async ({ platform, brings }) => {
  const { context, host } = createFixture();
  vi.mocked(applyNetwork).mockImplementation(async () => (host.records.push("apply network"), []));
  const domain = domainPlan("a", 1);
  const plan = { ...labPlan([domain]), platform };
  await startDomain(context, { plan, roots: ROOTS }, domain);
  expect(host.records.filter((line) => /^(start|apply network)/.test(line))).toEqual(["start a", ...brings]);
});
