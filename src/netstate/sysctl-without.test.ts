import { expect, test } from "vitest";
import { sysctlWithout } from "./sysctl-without.ts";

test.each([
  ["net.bridge.bridge-nf-call-iptables", "0"],
  ["net.ipv6.conf.vif1/0.disable_ipv6", "1"],
  ["net.ipv4.ip_forward", undefined],
])("a kernel without %s has it as %s", (name, value) => {
  expect(sysctlWithout(name)).toBe(value);
});
