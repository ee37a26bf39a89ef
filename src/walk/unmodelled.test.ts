import { describe, expect, test } from "vitest";
import { Wiring } from "./fixture.ts";

const pair = (a: Parameters<Wiring["machine"]>[1] = {}, b: Parameters<Wiring["machine"]>[1] = {}) =>
  new Wiring()
    .machine("a", { addresses: ["eth0 10.0.0.1/24"], ...a })
    .machine("b", { addresses: ["eth0 10.0.0.2/24"], ...b })
    .wire("a/eth0", "b/eth0");

describe("what is not modelled", () => {
  const observed = (unmodelled: { object: string; bearsOn: { link: string } | "routing" }[]) =>
    pair({}, { observed: { unmodelled } });

  test("is met on a link, or in every routing decision", () => {
    expect(observed([{ object: "tc filter on eth0", bearsOn: { link: "eth0" } }]).ask("a", "10.0.0.2")).toMatchObject({
      outcome: "unknown",
      unknown: "b: tc filter on eth0",
      stop: null,
    });
    const rules = observed([{ object: "ip rule 100", bearsOn: "routing" }]);
    expect(rules.ask("a", "10.0.0.2").unknown).toBe("b: ip rule 100");
    expect(rules.ask("a", "10.0.0.2", "arp").outcome).toBe("reachable");
  });

  test("does not matter where no walk passes", () => {
    expect(observed([{ object: "tc filter on eth1", bearsOn: { link: "eth1" } }]).ask("a", "10.0.0.2").outcome).toBe(
      "reachable",
    );
  });

  test("a wire whose other end is not known", () => {
    expect(pair().change("a/eth0", { peer: null }).ask("a", "10.0.0.2").outcome).toBe("unknown");
  });

  test("bridges in a loop", () => {
    const wiring = new Wiring()
      .machine("a", { addresses: ["eth0 10.0.0.1/24"] })
      .machine("x")
      .machine("y")
      .wire("a/eth0", "x/p0")
      .wire("x/p1", "y/p1")
      .wire("x/p2", "y/p2")
      .bridge("x/br0", ["p0", "p1", "p2"])
      .bridge("y/br0", ["p1", "p2"]);
    expect(wiring.ask("a", "10.0.0.2").outcome).toBe("unknown");
  });
});
