import { expect, test } from "vitest";
import { LabError } from "../model/error.ts";
import type { DomainPlan, VifPlan } from "../model/plan.ts";
import { initScript } from "./init-script.ts";

const vif = (guest: string, configuration: VifPlan["configuration"]) =>
  ({ guest, configuration, defaultRoute: guest === "eth0" }) as VifPlan;
const domain = (changes: Partial<DomainPlan>): DomainPlan =>
  ({
    name: "one",
    hostname: "one",
    services: [],
    vifs: [],
    recipe: { services: { web: { command: ["web", "it's here"] }, db: { command: ["db"] } } },
    ...changes,
  }) as unknown as DomainPlan;

test("nothing runs in a domain without services whose addresses are set from outside", () => {
  expect(initScript(domain({ vifs: [vif("eth0", "static")] }))).toBeNull();
});

test("services run side by side, and the end of one is the end of the domain", () => {
  expect(initScript(domain({ services: ["web", "db"] }))).toBe(
    `trap 'trap "" TERM; kill 0; exit 1' TERM
if [ -x /usr/lib/cloison/first-boot ]; then /usr/lib/cloison/first-boot || { echo "cloison: first boot failed" >&2; exit 1; }; fi
{ 'web' 'it'\\''s here'; echo "cloison: service web ended with exit $?" >&2; kill -TERM $$; } &
{ 'db'; echo "cloison: service db ended with exit $?" >&2; kill -TERM $$; } &
wait
exit 1`,
  );
});

test("a DHCP client runs for each interface that leases its address, and asks for a default route through the first", () => {
  const vifs = [vif("eth0", "dhcp"), vif("eth1", "dhcp"), vif("eth2", "static")];
  const clients = (leaseScript?: string) =>
    initScript(domain({ vifs }), leaseScript)
      ?.split("\n")
      .flatMap((line) => /^\{ (.*?);/.exec(line)?.slice(1) ?? []);
  const first = `'udhcpc' '-f' '-i' 'eth0' '-T' '1' '-A' '1' '-x' 'hostname:one'`;
  const second = `'udhcpc' '-f' '-i' 'eth1' '-T' '1' '-A' '1' '-x' 'hostname:one' '-o' '-O' 'subnet'`;
  expect(clients()).toEqual([first, second]);
  expect(clients("/lab/lease")).toEqual([`${first} '-s' '/lab/lease'`, `${second} '-s' '/lab/lease'`]);
});

test("a service that the image lacks is refused", () => {
  expect(() => initScript(domain({ services: ["mail"] }))).toThrow(LabError);
});
