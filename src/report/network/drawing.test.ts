import { expect, test } from "vitest";
import { networkDrawing } from "./drawing.ts";
import { layOut } from "./layout.ts";
import type { Scene } from "./scene.ts";

const scene: Scene = {
  lans: [{ id: "lan0", label: "LAN <0>", card: "eth0", machines: [{ name: "station", detail: "10.23.0.254" }] }],
  networks: [
    { name: "front", mode: "bridge", detail: "xenbr0", lan: "lan0", way: null },
    { name: "back", mode: "nat", detail: "natbr1", lan: "lan0", way: "masquerade" },
    { name: "side", mode: "isolated", detail: "isobr2", lan: null, way: null },
  ],
  guests: [
    { name: "a", nics: [{ vif: "vif1.0", network: "front", address: "10.23.0.11" }], more: 0 },
    {
      name: "b",
      nics: [
        { vif: "vif2.0", network: "front", address: "10.23.0.12" },
        { vif: "vif2.1", network: "back", address: "10.1.0.12" },
      ],
      more: 0,
    },
    { name: "c", nics: [{ vif: "vif3.0", network: "back", address: "10.1.0.13" }], more: 17 },
    { name: "d", nics: [{ vif: "vif4.0", network: "side", address: "10.2.0.14" }], more: 0 },
  ],
};

test("shows every machine, network and interface once, and escapes what comes from the file", () => {
  const svg = networkDrawing(scene, 'lab "demo"');
  const texts = [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text);
  for (const { name, mode } of scene.networks) expect(texts).toContain(`${name} · ${mode}`);
  for (const vif of ["vif1.0", "vif2.0", "vif2.1", "vif3.0"])
    expect(texts.filter((text) => text === vif)).toHaveLength(1);
  expect(texts).toContain("c + 17 more");
  expect(texts).toContain("LAN &lt;0&gt;");
  expect(svg).toContain('aria-label="lab &quot;demo&quot;"');
});

test("nothing lies on something else, and all of it in the picture", () => {
  const { host, networks, guests, lans, width, height } = layOut(scene);
  for (const { bar } of networks) expect(bar.x + bar.width).toBeLessThanOrEqual(host.x + host.width);
  const boxes = [
    ...networks.map(({ bar }) => bar),
    ...guests.map(({ box }) => box),
    ...lans.flatMap(({ bar, machines }) => [bar, ...machines.map(({ box }) => box)]),
  ];
  for (const [i, a] of boxes.entries()) {
    expect(a.x).toBeGreaterThanOrEqual(0);
    expect(a.x + a.width).toBeLessThanOrEqual(width);
    expect(a.y + a.height).toBeLessThanOrEqual(height);
    for (const b of boxes.slice(0, i)) {
      const apart = a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y;
      expect(apart, `${JSON.stringify(a)} and ${JSON.stringify(b)}`).toBe(true);
    }
  }
});
