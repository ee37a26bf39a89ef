import type { Host } from "../host/host.ts";
import { ExitCode, LabError } from "../model/error.ts";
import { observeCards, type CardState } from "./observe-card.ts";
import type { UplinkPlan } from "./plan-uplink.ts";

/**
 * Whether a real interface may join a lab.
 * @param willConfirm everything is put back unless the user confirms in time
 * @returns the interface as it is
 * @throws LabError (usage) saying why not
 */
export async function checkUplink(host: Host, plan: UplinkPlan, willConfirm: boolean): Promise<CardState> {
  const { card: name } = plan;
  const refuse = (why: string, hint: string) =>
    new LabError(`${name} cannot be the uplink of lab ${plan.lab}: ${why}`, { hint, exit: ExitCode.usage });
  // A batch of `ip` would read these as something else than a name.
  if (/["'\\#]/.test(name))
    throw refuse("its name has quotes in it", `rename it: ip link set dev ${name} name uplink0`);
  const cards = await observeCards(host, null);
  const card = cards.find((one) => one.name === name);
  if (card === undefined) {
    const others = cards.filter(({ type, master }) => type === "ether" && master === null).map((one) => one.name);
    throw refuse(
      "there is no such interface",
      others.length === 0 ? "`ip link` shows which there are" : `there is ${others.join(", ")}`,
    );
  }
  if (card.type !== "ether" || card.kind === "bridge") {
    throw refuse(
      card.kind === "bridge" ? "it is a bridge" : `it is no Ethernet interface (${card.type})`,
      "name a network card, or a VLAN or veth interface",
    );
  }
  if (card.master !== null) {
    throw refuse(`it is a port of ${card.master} already`, `take it out first: ip link set ${name} nomaster`);
  }
  if (await isWireless(host, name)) {
    throw refuse("it is wireless, and an access point takes frames of one MAC only", "use a wired card");
  }
  if (card.strange[0] !== undefined) {
    throw refuse(`it has an address or route that could not be put back: ${card.strange[0]}`, "remove that first");
  }
  if (!willConfirm && card.routes.some(({ isDefault }) => isDefault)) {
    throw refuse(
      "it carries this machine's default route",
      "with up --confirm-within 60s it joins, and is put back unless you say cloison confirm in time",
    );
  }
  return card;
}

/** /sys may show another namespace's interfaces; this file is of the reader's own. */
async function isWireless(host: Host, name: string): Promise<boolean> {
  const table = (await host.files.readTextIfExists("/proc/net/wireless")) ?? "";
  return table.split("\n").some((line) => line.trimStart().startsWith(`${name}:`));
}
