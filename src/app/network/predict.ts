import { observeLab } from "../../lab/observe-lab.ts";
import { matrixText } from "../../report/net-matrix.ts";
import { createPainter } from "../../report/painter.ts";
import type { AppContext, Terminal } from "../context.ts";
import { predict, type Prediction } from "../../walk/predict.ts";
import { plannedNetwork, planOf, planOfRunning } from "./lab-network.ts";

/** Every pair of a lab, asked in every way: by its plan, or by what the kernel has. No packet is sent. */
export async function predictLab(
  app: AppContext,
  nameOrFile: string,
  { observed }: { observed: boolean },
): Promise<Prediction[]> {
  if (!observed) {
    const plan = await planOf(app, nameOrFile);
    return predict(plannedNetwork(plan), plan.endpoints);
  }
  const plan = await planOfRunning(app, nameOrFile);
  return predict(await observeLab(app, plan), plan.endpoints);
}

/** What `net predict` prints. */
export function predictText(rows: Prediction[], terminal: Terminal): string {
  return matrixText(rows, createPainter(terminal.colour), terminal.width);
}
