import type { Host } from "../host/host.ts";
import type { DomainPlan, LabPlan } from "../model/plan.ts";

/**
 * Takes the lab's ends of a domain's interfaces down, or up again. With them down nothing reaches the lab from it, and the lab's
 * bridges forget where it was.
 */
export async function setFence(host: Host, plan: LabPlan, { vifs }: DomainPlan, state: "up" | "down"): Promise<void> {
  for (const { vif } of vifs) {
    await host.processes.must({ argv: ["ip", "link", "set", vif, state], namespace: plan.hostNamespace });
  }
}
