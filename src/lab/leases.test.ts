import { expect, test } from "vitest";
import type { AddressEntry } from "../host/netlink-entry.ts";
import { NetlinkSocket } from "../host/netlink.ts";
import { createFixture, domainPlan, labPlan } from "./fixture.ts";
import { leasesTaken } from "./leases.ts";

const [STATIC, PLANNED] = [domainPlan("one", 1), domainPlan("two", 2)];
const LEASED = { ...PLANNED, vifs: PLANNED.vifs.map((vif) => ({ ...vif, configuration: "dhcp" as const })) };

/** A socket that shows these addresses, and tells when it is asked. */
function fixtureWith(addresses: () => string[]) {
  class Socket extends NetlinkSocket {
    constructor() {
      super({ send: () => undefined, receive: () => new Uint8Array(), close: () => undefined } as never);
    }
    override addresses(): AddressEntry[] {
      return addresses().map((address) => ({ address }) as AddressEntry);
    }
  }
  return createFixture({ netlink: () => new Socket() });
}

test("waits for leased addresses, and for no others", async () => {
  let asked = 0;
  const { host, context } = fixtureWith(() => (++asked < 3 ? ["127.0.0.1"] : ["127.0.0.1", "10.9.0.12"]));
  await leasesTaken(context, labPlan(), [STATIC, LEASED]);
  expect(asked).toBe(3);
  expect(new Set(host.records)).toEqual(new Set(["netlink cloison.demo.two"]));
});

test("names the interfaces that got none", async () => {
  const { context } = fixtureWith(() => []);
  await expect(leasesTaken(context, labPlan(), [STATIC, LEASED])).rejects.toThrow(
    "the DHCP server's lease has not come to two (eth0)",
  );
});

test("is interrupted", async () => {
  const { context } = fixtureWith(() => []);
  await expect(leasesTaken(context, labPlan(), [LEASED], AbortSignal.abort(new Error("enough")))).rejects.toThrow(
    "enough",
  );
});
