import { expect, test } from "vitest";
import type { NftHook, NftTable } from "../model/nft.ts";
import { lacksDevices, withChainDevices } from "./chain-devices.ts";

const base = (device: string | null): NftHook => ({
  type: "filter",
  hook: "ingress",
  priority: 0,
  policy: "accept",
  device,
});
const table = (...chains: [string, NftHook | null][]): Record<string, NftTable> => ({
  "netdev t": {
    family: "netdev",
    name: "t",
    sets: [],
    chains: chains.map(([name, hook]) => ({ name, base: hook, rules: [] })),
  },
});

/** As nft 1.0.6 prints it. */
const TEXT = `table netdev t {
\tchain one {
\t\ttype filter hook ingress device "vif1.0" priority filter; policy accept;
\t\tether saddr != 00:16:3e:00:00:01 drop
\t}

\tchain several {
\t\ttype filter hook ingress devices = { eth0, eth1 } priority filter; policy accept;
\t}
}
`;

test("devices come from the text, where it names one", () => {
  const listed = table(["one", base(null)], ["several", base(null)], ["plain", null]);
  expect(lacksDevices(listed)).toBe(true);
  expect(withChainDevices(listed, TEXT)).toEqual(
    table(["one", base("vif1.0")], ["several", base(null)], ["plain", null]),
  );
});

test("what JSON told stays", () => {
  const listed = table(["one", base("eth9")]);
  expect(lacksDevices(listed)).toBe(false);
  expect(withChainDevices(listed, TEXT)).toEqual(listed);
});
