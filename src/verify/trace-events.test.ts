import { expect, test } from "vitest";
import { traceEvents } from "./trace-events.ts";

/** As nft 1.0.6 prints it, shortened in the packet's fields. */
const TEXT = `\
trace id f6045e3b inet cloison-trace prerouting packet: iif "lo" ip saddr 127.0.0.1 tcp dport 81
trace id f6045e3b inet cloison-trace prerouting rule meta l4proto tcp meta nftrace set 1 # handle 2 (verdict continue)
trace id f6045e3b inet cloison-trace prerouting policy accept 
trace id f6045e3b inet guard input packet: iif "lo" ip saddr 127.0.0.1 tcp dport 81
trace id f6045e3b inet guard input rule jump services # handle 9 (verdict jump services)
trace id f6045e3b inet guard services verdict continue 
trace id f6045e3b inet guard input rule tcp dport 81 counter drop comment "x (y) # z" # handle 2 (verdict drop)
trace id bdeb94ce ip nat post policy accept 
`;

test("rules with their handles, and ends of chains; our own table is left out", () => {
  const common = { namespace: "ns", packet: "f6045e3b", family: "inet", table: "guard" };
  expect(traceEvents("ns", TEXT)).toEqual([
    { ...common, chain: "input", rule: "jump services", handle: 9, verdict: "jump services" },
    { ...common, chain: "services", rule: null, handle: null, verdict: "continue" },
    { ...common, chain: "input", rule: 'tcp dport 81 counter drop comment "x (y) # z"', handle: 2, verdict: "drop" },
    {
      namespace: "ns",
      packet: "bdeb94ce",
      family: "ip",
      table: "nat",
      chain: "post",
      rule: null,
      handle: null,
      verdict: "accept",
    },
  ]);
});
