import type { Scene, SceneGuest, SceneLan, SceneNetwork } from "./scene.ts";

/** Sizes in pixels of the drawing's own coordinates. */
const GUEST = { width: 140, gap: 20 };
const MACHINE = { width: 118, height: 46, gap: 14 };
const MARGIN = 24;
const BAR_HEIGHT = 34;
const LEVEL_HEIGHT = 74;

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Placed {
  width: number;
  height: number;
  host: Box;
  lans: { lan: SceneLan; bar: Box; cardX: number; machines: { name: string; detail: string; box: Box }[] }[];
  networks: { network: SceneNetwork; bar: Box; upX: number }[];
  guests: { guest: SceneGuest; box: Box; wires: { x: number; vif: string; to: Box }[] }[];
}

/** Gives everything its place: cables and their machines above, the host in the middle, guests below. */
export function layOut(scene: Scene): Placed {
  const guestX = (index: number) => MARGIN + 20 + index * (GUEST.width + GUEST.gap);
  const guestsWidth = Math.max(1, scene.guests.length) * (GUEST.width + GUEST.gap) - GUEST.gap + 40;
  const lanWidth = (lan: SceneLan) =>
    Math.max(210, Math.max(1, lan.machines.length) * (MACHINE.width + MACHINE.gap) - MACHINE.gap + 24);
  const lansWidth = scene.lans.reduce((sum, lan) => sum + lanWidth(lan) + 24, -24);
  const inner = Math.max(guestsWidth, lansWidth, 420);
  const shift = (inner - guestsWidth) / 2;

  const lanTop = MARGIN + MACHINE.height + 30;
  const hostTop = lanTop + BAR_HEIGHT + 44;
  let lanX = MARGIN + (inner - lansWidth) / 2;
  const lans = scene.lans.map((lan) => {
    const width = lanWidth(lan);
    const bar = { x: lanX, y: lanTop, width, height: BAR_HEIGHT };
    lanX += width + 24;
    const machinesWidth = lan.machines.length * (MACHINE.width + MACHINE.gap) - MACHINE.gap;
    const machines = lan.machines.map((machine, i) => ({
      ...machine,
      box: {
        x: bar.x + (width - machinesWidth) / 2 + i * (MACHINE.width + MACHINE.gap),
        y: MARGIN,
        width: MACHINE.width,
        height: MACHINE.height,
      },
    }));
    return { lan, bar, cardX: bar.x + width / 2, machines };
  });

  const levels: Box[][] = [];
  const networks = scene.networks.map((network) => {
    const columns = scene.guests.flatMap(({ nics }, i) =>
      nics.some((nic) => nic.network === network.name) ? [i] : [],
    );
    const first = guestX(columns[0] ?? 0) + shift;
    const last = guestX(columns.at(-1) ?? 0) + shift + GUEST.width;
    const width = Math.max(last - first, 210);
    const bar = { x: Math.min(first, MARGIN + inner - 20 - width), y: 0, width, height: BAR_HEIGHT };
    let level = levels.findIndex((row) =>
      row.every((other) => other.x + other.width + 16 < bar.x || bar.x + bar.width + 16 < other.x),
    );
    if (level === -1) level = levels.push([]) - 1;
    levels[level]?.push(bar);
    bar.y = hostTop + 58 + level * LEVEL_HEIGHT;
    return { network, bar, upX: bar.x + Math.min(bar.width - 24, 30 + 26 * level) };
  });
  const hostBottom = hostTop + 58 + Math.max(1, levels.length) * LEVEL_HEIGHT - 10;
  const guestTop = hostBottom + 46;
  const barOf = new Map(networks.map(({ network, bar }) => [network.name, bar]));

  const guests = scene.guests.map((guest, i) => {
    const box = {
      x: guestX(i) + shift,
      y: guestTop,
      width: GUEST.width,
      height: 30 + 17 * Math.max(1, guest.nics.length),
    };
    const wires = guest.nics.flatMap((nic, n) => {
      const to = barOf.get(nic.network);
      return to === undefined ? [] : [{ x: box.x + (box.width * (n + 0.5)) / guest.nics.length, vif: nic.vif, to }];
    });
    return { guest, box, wires };
  });
  const height = guestTop + Math.max(0, ...guests.map(({ box }) => box.height)) + MARGIN;
  return {
    width: inner + 2 * MARGIN,
    height,
    host: { x: MARGIN, y: hostTop, width: inner, height: hostBottom - hostTop },
    lans,
    networks,
    guests,
  };
}
