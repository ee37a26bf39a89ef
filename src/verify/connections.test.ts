import { expect, test } from "vitest";
import { Connections } from "./connections.ts";
import { endpoint, probe, sighting } from "./fixture.ts";
import type { Sighting } from "./sighting.ts";

const SEGMENT = { by: "tcp", initialSequence: 7, sourcePort: 999, destinationPort: 80, flags: 2 } as const;
const http = { kind: "tcp", port: 80 } as const;
const at = (place: string, more: object = {}) => sighting(place, { ...SEGMENT, ...more });

function deliver(connections: Connections, sightings: Sighting[]): void {
  for (const seen of sightings) connections.deliver(seen, SEGMENT.initialSequence);
}

test("all that was seen of a connection is its probe's, whoever was read first, also when its port is told later", () => {
  const seen = [at("ns-b/eth0 in"), at("ns-a/eth0 out"), at("ns-b/eth0 out", { part: "reply" })];
  for (const tellsFirst of [true, false]) {
    const connections = new Connections();
    const asked = probe(http);
    if (tellsFirst) connections.begin(asked, 999);
    deliver(connections, seen);
    if (!tellsFirst) connections.begin(asked, 999);
    expect(asked.sightings).toEqual(seen);
  }
});

test("a segment that is forwarded is no connection of the forwarder's, which has the same port", () => {
  const forwarder = probe(http, { from: endpoint("router"), index: 1 });
  const asked = probe(http);
  const connections = new Connections();
  connections.begin(forwarder, 999);
  connections.begin(asked, 999);
  const seen = [at("ns-router/vif1 in"), at("ns-router/eth0 out"), at("ns-b/eth0 in"), at("ns-a/eth0 out")];
  deliver(connections, seen);
  expect(forwarder.sightings).toEqual([]);
  expect(asked.sightings).toEqual(seen);
});

test("a segment to another port of the address, or from another port, is nobody's", () => {
  const asked = probe(http);
  const connections = new Connections();
  connections.begin(asked, 999);
  deliver(connections, [at("ns-a/eth0 out", { destinationPort: 81 }), at("ns-a/eth0 out", { sourcePort: 998 })]);
  expect(asked.sightings).toEqual([]);
});
