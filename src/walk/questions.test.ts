import { expect, test } from "vitest";
import type { Endpoint, Service } from "../model/reachability.ts";
import { questions } from "./questions.ts";

const endpoint = (name: string, addresses: string[], services: Service[] = []): Endpoint => ({
  name,
  kind: "domain",
  namespace: name,
  interfaces: [{ link: "eth0", network: "lan", addresses, mac: "02:00:00:00:00:01" }],
  services,
});

test("every pair, address and way", () => {
  const asked = questions([
    endpoint("a", ["10.0.0.1"]),
    endpoint("b", ["10.0.0.2", "fd00::2"], [{ protocol: "tcp", port: 80 }]),
  ]);
  expect(
    asked.map(({ from, address, how }) => `${from} ${address} ${how.kind}${"port" in how ? how.port : ""}`),
  ).toEqual(["a 10.0.0.2 arp", "a 10.0.0.2 icmp", "a 10.0.0.2 tcp80", "b 10.0.0.1 arp", "b 10.0.0.1 icmp"]);
});

test("104 endpoints with a service each", () => {
  const many = Array.from({ length: 104 }, (_, index) =>
    endpoint(`d${index}`, [`10.0.0.${index}`], [{ protocol: "tcp", port: 80 }]),
  );
  expect(questions(many)).toHaveLength(104 * 103 * 3);
});
