import { expect, test } from "vitest";
import type { LabPlan } from "../../model/plan.ts";
import { questionOf } from "./target.ts";

const endpoint = (name: string, addresses: string[]) => ({
  name,
  kind: "domain" as const,
  namespace: `cloison.demo.${name}`,
  interfaces: [{ link: "eth0", network: "lan", addresses, mac: "00:16:3e:00:00:01" }],
  services: [],
});
const plan = {
  lab: "demo",
  endpoints: [endpoint("a", ["10.0.0.1"]), endpoint("b", ["10.0.0.2", "2001:db8::2"]), endpoint("mute", [])],
} as unknown as LabPlan;

test.each([
  ["b", "10.0.0.2", { kind: "icmp" }],
  ["b:80", "10.0.0.2", { kind: "tcp", port: 80 }],
  ["b:53/udp", "10.0.0.2", { kind: "udp", port: 53 }],
  ["b:arp", "10.0.0.2", { kind: "arp" }],
  ["10.0.0.2:80/tcp", "10.0.0.2", { kind: "tcp", port: 80 }],
  ["2001:db8::2", "2001:db8::2", { kind: "icmp" }],
  ["[2001:db8::2]:80", "2001:db8::2", { kind: "tcp", port: 80 }],
] as const)("%s", (target, address, how) => {
  expect(questionOf(plan, "a", target)).toEqual({ from: "a", to: "b", address, how });
});

test.each([
  ["c", "lab demo has no c"],
  ["10.9.9.9", "10.9.9.9 is nobody's address in lab demo"],
  ["b:0", "b:0 is no destination"],
  ["b:70000", "b:70000 is no destination"],
  ["b:80/sctp", "b:80/sctp is no destination"],
  ["", " is no destination"],
  ["mute", "mute has no address"],
])("%s is refused", (target, message) => {
  expect(() => questionOf(plan, "a", target)).toThrow(message);
});

test("a source that is not there is refused", () => {
  expect(() => questionOf(plan, "x", "b")).toThrow("lab demo has no x");
});
