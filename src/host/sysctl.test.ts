import { expect, test } from "vitest";
import { readNetworkSysctl, writeNetworkSysctl } from "./sysctl.ts";

test("reads a sysctl of the network, without its newline", () => {
  expect(readNetworkSysctl("net.ipv4.ip_forward")).toMatch(/^[01]$/);
});

test("one that this kernel does not have is null", () => {
  expect(readNetworkSysctl("net.ipv4.conf.vif1/0.no_such_switch")).toBeNull();
});

test.each(["kernel.hostname", "net...kernel.hostname", "net.//.kernel.hostname", "net.ipv4..ip_forward", ""])(
  "%j is refused: only switches of the network are touched",
  (name) => {
    expect(() => readNetworkSysctl(name)).toThrow("is not a sysctl of the network");
    expect(() => writeNetworkSysctl(name, "1")).toThrow("is not a sysctl of the network");
  },
);

test("a refused write names the sysctl and the value", () => {
  expect(() => writeNetworkSysctl("net.ipv4.no_such_switch", "1")).toThrow(
    /^setting sysctl net\.ipv4\.no_such_switch to 1: E/,
  );
});
