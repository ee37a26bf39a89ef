import type { Host } from "../host/host.ts";
import { observeCards } from "./observe-card.ts";
import type { UplinkRecord } from "./uplink-record.ts";
import type { UplinkState } from "./uplink-steps.ts";

/** Reads what an uplink consists of now, wherever a crash has left it. */
export async function observeUplink(host: Host, { plan, card }: UplinkRecord): Promise<UplinkState> {
  const lanIsThere = (await host.namespaces.list()).includes(plan.lanNamespace);
  const [machine, lan] = await Promise.all([
    observeCards(host, null),
    lanIsThere ? observeCards(host, plan.lanNamespace) : [],
  ]);
  const named = (name: string) => machine.find((one) => one.name === name) ?? null;
  return {
    // Another card that has its name by now has another MAC.
    card:
      machine.find(({ name, mac, index }) => mac === card.mac && (name === card.name || index === card.index)) ?? null,
    bridge: named(plan.bridge),
    wire: named(plan.wire),
    lanEnd: lan.find(({ name }) => name === plan.lanEnd) ?? null,
  };
}

/** Runs lines of iproute2 in one process; stops at the first that fails. */
export async function runSteps(host: Host, lines: string[], namespace?: string): Promise<void> {
  if (lines.length === 0) return;
  await host.processes.must({
    argv: ["ip", "-batch", "-"],
    stdin: `${lines.join("\n")}\n`,
    ...(namespace === undefined ? {} : { namespace }),
  });
}
