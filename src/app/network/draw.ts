import { networkDrawing } from "../../report/network/drawing.ts";
import { sceneOf } from "../../report/network/scene-of.ts";
import type { AppContext } from "../context.ts";
import { planOf } from "./lab-network.ts";

/** A drawing of a lab's network, as SVG; of a lab that is up by its name, of any by its file. */
export async function drawLab(app: AppContext, nameOrFile: string): Promise<string> {
  const plan = await planOf(app, nameOrFile);
  return networkDrawing(sceneOf(plan), `Network of lab ${plan.lab}`);
}
