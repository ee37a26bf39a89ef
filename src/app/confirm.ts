import { labNames } from "../lab/inventory.ts";
import { requireStoredLab } from "../lab/context.ts";
import { confirmLabUplinks } from "../lab/uplinks.ts";
import type { AppContext } from "./context.ts";
import { requireRoot } from "./packages.ts";

/** What became of one real interface. */
export interface ConfirmRow {
  interface: string;
  /** `too late`: it is as it was before it joined. */
  outcome: "confirmed" | "confirmed already" | "needs none" | "too late";
}

/** Confirms that the real interfaces of a lab may stay joined; also while an `up` is still at work on the rest. */
export async function confirm(app: AppContext, lab: string): Promise<ConfirmRow[]> {
  requireRoot(app, "confirm");
  // Says which labs there are.
  if (!(await labNames(app)).includes(lab)) await requireStoredLab(app, lab);
  return confirmLabUplinks(app, lab);
}
