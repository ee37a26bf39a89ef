import { escapeHtml } from "../html.ts";
import { layOut, type Box, type Placed } from "./layout.ts";
import type { Scene } from "./scene.ts";

/** A drawing of a lab's network as SVG, for light and dark pages. */
export function networkDrawing(scene: Scene, title: string): string {
  const placed = layOut(scene);
  // A wire passes behind what it does not end at.
  const parts = [
    ...placed.lans.flatMap((lan) => lanWires(lan, placed)),
    ...placed.networks.flatMap((network) => networkWires(network, placed)),
    ...placed.guests.flatMap(guestWires),
    box(placed.host, "host"),
    text(placed.host.x + 14, placed.host.y + 22, "host (dom0)", "name"),
    ...placed.lans.flatMap((lan) => lanBoxes(lan, placed)),
    ...placed.networks.flatMap(networkBoxes),
    ...placed.guests.flatMap(guestPlugs),
    ...placed.guests.flatMap(guestBoxes),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${placed.width} ${placed.height}" width="${placed.width}" height="${placed.height}" role="img" aria-label="${escapeHtml(title)}">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
<rect class="paper" width="${placed.width}" height="${placed.height}"/>
${parts.join("\n")}
</svg>
`;
}

const STYLE = `
:root { --paper: #fdfdfb; --ink: #1b1e23; --muted: #575e69; --line: #8b929c; --raised: #f1f1ec; --lan: #dfe6ee;
  --bridge: #cfe3f5; --routed: #f6e3b8; --nat: #f3d3bd; --isolated: #e4dcea; --vlan: #cdeadf; }
@media (prefers-color-scheme: dark) { :root { --paper: #14171b; --ink: #e7e9ec; --muted: #a7aeb9; --line: #727a86;
  --raised: #1f242a; --lan: #2b3440; --bridge: #1d3f5c; --routed: #55431a; --nat: #5a3420; --isolated: #43364e; --vlan: #1d4a3b; } }
text { font: 12px "Helvetica Neue", "Liberation Sans", Arial, sans-serif; fill: var(--ink); }
.small { font-size: 11px; fill: var(--muted); } .name { font-weight: 600; font-size: 13px; } .middle { text-anchor: middle; }
.way { paint-order: stroke; stroke: var(--paper); stroke-width: 5; } .plug { fill: var(--ink); }
.paper { fill: var(--paper); } .tag { fill: var(--paper); stroke: var(--line); }
.wire { stroke: var(--line); stroke-width: 1.5; fill: none; } .apart { stroke-dasharray: 5 4; }
.host { fill: none; stroke: var(--ink); stroke-width: 1.5; } .guest, .machine { fill: var(--raised); stroke: var(--line); }
.lan { fill: var(--lan); } .bridge { fill: var(--bridge); } .routed { fill: var(--routed); } .nat { fill: var(--nat); }
.isolated { fill: var(--isolated); } .vlan { fill: var(--vlan); }`;

function lanWires({ bar, cardX, machines }: Placed["lans"][number], { host }: Placed): string[] {
  return [
    ...machines.map(({ box: from }) => wire(middle(from), from.y + from.height, middle(from), bar.y)),
    wire(cardX, bar.y + bar.height, cardX, host.y),
  ];
}

function lanBoxes({ lan, bar, cardX, machines }: Placed["lans"][number], { host }: Placed): string[] {
  return [
    ...machines.flatMap((machine) => [
      box(machine.box, "machine"),
      text(middle(machine.box), machine.box.y + 20, machine.name, "name middle"),
      text(middle(machine.box), machine.box.y + 36, machine.detail, "small middle"),
    ]),
    box(bar, "lan"),
    text(middle(bar), bar.y + 21, lan.label, "middle"),
    ...label(cardX, host.y, lan.card),
  ];
}

function networkWires({ network, bar, upX }: Placed["networks"][number], { lans, host }: Placed): string[] {
  const lan = lans.find((candidate) => candidate.lan.id === network.lan);
  if (lan === undefined) return [];
  const kind = network.way === null ? "wire" : "wire apart";
  return [`<path class="${kind}" d="M${upX} ${bar.y}V${host.y + 34}H${lan.cardX}V${host.y}"/>`];
}

function networkBoxes({ network, bar, upX }: Placed["networks"][number]): string[] {
  return [
    ...(network.way === null ? [] : [text(upX + 7, bar.y - 7, network.way, "small way")]),
    box(bar, network.mode),
    text(bar.x + 10, bar.y + 15, `${network.name} · ${network.mode}`, "name"),
    text(bar.x + 10, bar.y + 29, network.detail, "small"),
  ];
}

function guestWires({ box: place, wires }: Placed["guests"][number]): string[] {
  return wires.map(({ x, to }) => wire(x, place.y, plugX(x, to), to.y + to.height));
}

/** Where wires end, to tell them from those that pass behind. */
function guestPlugs({ wires }: Placed["guests"][number]): string[] {
  return wires.map(({ x, to }) => `<circle class="plug" cx="${plugX(x, to)}" cy="${to.y + to.height}" r="3"/>`);
}

function plugX(x: number, to: Box): number {
  return Math.min(Math.max(x, to.x + 4), to.x + to.width - 4);
}

function guestBoxes({ guest, box: place, wires }: Placed["guests"][number]): string[] {
  const name = guest.more > 0 ? `${guest.name} + ${guest.more} more` : guest.name;
  return [
    ...wires.flatMap(({ x, vif }) => label(x, place.y - 16, vif)),
    ...(guest.more > 0 ? [box({ ...place, x: place.x + 5, y: place.y + 5 }, "guest")] : []),
    box(place, "guest"),
    text(middle(place), place.y + 19, name, "name middle"),
    ...guest.nics.map((nic, i) => text(middle(place), place.y + 36 + 16 * i, nic.address, "small middle")),
  ];
}

function middle({ x, width }: Box): number {
  return x + width / 2;
}

function box({ x, y, width, height }: Box, kind: string): string {
  return `<rect class="${kind}" x="${x}" y="${y}" width="${width}" height="${height}" rx="5"/>`;
}

function wire(x1: number, y1: number, x2: number, y2: number): string {
  return `<line class="wire" x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}"/>`;
}

function text(x: number, y: number, content: string, classes: string): string {
  return `<text class="${classes}" x="${x}" y="${y}">${escapeHtml(content)}</text>`;
}

/** A name on a line. */
function label(x: number, y: number, content: string): string[] {
  const width = 6.5 * content.length + 12;
  return [box({ x: x - width / 2, y: y - 9, width, height: 18 }, "tag"), text(x, y + 4, content, "small middle")];
}
