import type { Host } from "../host/host.ts";
import type { Switch } from "../model/network-state.ts";
import type { NamespaceName } from "../model/plan.ts";

/** Makes and reads the switches of a namespace. The network state knows nothing else of Open vSwitch. */
export interface SwitchDriver {
  /** The switches that the namespace's instance has; none when none runs. */
  observe(host: Host, namespace: NamespaceName): Promise<Switch[]>;
  /** Brings the instance to have these and no others. Their ports' links exist and are up. Throws LabError. */
  apply(host: Host, namespace: NamespaceName, wanted: Switch[]): Promise<void>;
}
