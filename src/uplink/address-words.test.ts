import { expect, test } from "vitest";
import { isKernels, lifetimeWords, savedAddress } from "./address-words.ts";

const FOREVER = { valid_life_time: 4294967295, preferred_life_time: 4294967295 };
const V4 = { family: "inet", local: "10.0.0.2", prefixlen: 24, scope: "global", label: "eth1", ...FOREVER };
const V6 = { family: "inet6", local: "2001:db8::2", prefixlen: 64, scope: "global", ...FOREVER };

test.each([
  [{ ...V4, broadcast: "10.0.0.255" }, "10.0.0.2/24 broadcast 10.0.0.255 scope global"],
  [{ ...V4, address: "10.0.0.9", prefixlen: 32, secondary: true }, "10.0.0.2 peer 10.0.0.9/32 scope global"],
  [{ ...V4, scope: "link", metric: 100, noprefixroute: true }, "10.0.0.2/24 scope link metric 100 noprefixroute"],
  [
    { ...V6, dynamic: true, mngtmpaddr: true, protocol: "kernel_ra" },
    "2001:db8::2/64 scope global proto kernel_ra mngtmpaddr",
  ],
])("an address is kept in ip's own words", (json, words) => {
  expect(savedAddress(json)).toMatchObject({ words, validS: null, preferredS: null });
});

test("what it has no words for is no address to move", () => {
  expect(savedAddress({ ...V4, mcautojoin: true })).toBeNull();
});

test("what the kernel makes by itself stays with it", () => {
  expect(isKernels({ ...V6, scope: "link" })).toBe(true);
  expect(isKernels({ ...V6, temporary: true })).toBe(true);
  expect(isKernels(V6)).toBe(false);
  expect(isKernels({ ...V4, scope: "link" })).toBe(false);
});

test("lifetimes go on running down", () => {
  const address = { family: 4, words: "10.0.0.2/24", label: null, validS: 100, preferredS: 50 } as const;
  expect(lifetimeWords(address, 10)).toBe(" valid_lft 90 preferred_lft 40");
  expect(lifetimeWords(address, 60)).toBe(" valid_lft 40 preferred_lft 0");
  expect(lifetimeWords(address, 100)).toBeNull();
  expect(lifetimeWords({ ...address, validS: null, preferredS: null }, 100)).toBe("");
});
