import type { LabPlan } from "../model/plan.ts";
import { switchInstance } from "../switch/instance.ts";
import { createSwitchDriver, type OpenSwitchDriver } from "../switch/switch-driver.ts";
import type { Paths } from "./paths.ts";

/** Open vSwitch for a lab's switches: the host's forwards on the platform's CPUs, the company's on the station's. */
export function labSwitches(paths: Paths, plan: Pick<LabPlan, "hostNamespace" | "placement">): OpenSwitchDriver {
  const { platform, station } = plan.placement;
  return createSwitchDriver((namespace) =>
    switchInstance(paths.run, namespace, namespace === plan.hostNamespace ? platform : station),
  );
}
