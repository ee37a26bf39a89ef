import type { Host } from "../../src/host/host.ts";
import type { NetworkState } from "../../src/model/network-state.ts";
import type { LabPlan } from "../../src/model/plan.ts";
import { withChange } from "../../src/netstate/with-change.ts";
import { commandOf, type Deed } from "./deed.ts";
import { IP_FAULTS } from "./ip-faults.ts";
import { LINK_FAULTS } from "./link-faults.ts";
import type { FaultKind, RandomFault } from "./random-lab.ts";
import type { Fault } from "./scene.ts";

const FAULTS: Record<FaultKind, Fault> = { ...LINK_FAULTS, ...IP_FAULTS };

/** What the faults do to a lab, one after the other, and its network as it should be then. Pure. */
export function commit(
  plan: LabPlan,
  before: NetworkState,
  faults: readonly RandomFault[],
): { committed: { fault: RandomFault; deeds: Deed[] }[]; state: NetworkState } {
  let state = before;
  const committed = faults.flatMap((fault) => {
    const deeds = FAULTS[fault.kind]({ plan, state, fault });
    if (deeds === null) return [];
    state = deeds.reduce(withChange, state);
    return [{ fault, deeds }];
  });
  return { committed, state };
}

/** Does the deeds in a running lab. @returns each as it was done, and what refused it */
export async function carryOut(host: Host, deeds: readonly Deed[]): Promise<string[]> {
  const told: string[] = [];
  for (const deed of deeds) {
    const command = commandOf(deed);
    told.push(`${deed.namespace}: ${typeof command.stdin === "string" ? command.stdin : command.argv.join(" ")}`);
    // What an earlier deed has taken away cannot be changed any more.
    const done = await host.processes.run(command);
    if (done.code !== 0) told.push(`  refused: ${done.stderr.trim()}`);
  }
  return told;
}
