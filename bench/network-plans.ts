import { parseLab } from "../src/files/lab-file.ts";
import { planLab } from "../src/plan/plan.ts";
import { labText, type Say } from "./network-bed.ts";
import { limitRow } from "./pairs.ts";
import { PLAN_INPUTS } from "./plan-inputs.ts";
import type { Row } from "./row.ts";

const DOMAINS = 1000;
const READINGS = 10;
const LIMIT_MS = 200;
const MODES = {
  bridge: { mode: "bridge" },
  routed: { mode: "routed" },
  nat: { mode: "nat", forward: [{ port: 8080, to: "d1:80" }] },
  vlan: { mode: "vlan", id: 5 },
};

/** From a parsed lab to everything that is decided about it, in this process. */
export function planRows(say: Say): Row[] {
  return Object.entries(MODES).map(([mode, network]) => {
    const text = labText({
      name: "bench-plan",
      networks: { net: { ...network, subnet: "10.64.0.0/21" } },
      domains: { d: { image: "plain", count: DOMAINS, listen: ["80/tcp"] } },
    });
    const lab = parseLab("lab.yaml", text);
    const readings: number[] = [];
    for (let reading = -1; reading < READINGS; reading++) {
      const startedMs = performance.now();
      planLab(lab, PLAN_INPUTS);
      const takenMs = performance.now() - startedMs;
      // The first one is the compiler's.
      if (reading >= 0) readings.push(takenMs);
    }
    say(`plan, ${mode}: ${readings.map((ms) => ms.toFixed(0)).join(" ")} ms`);
    return limitRow({ name: `plan of ${DOMAINS} domains, ${mode}`, unit: "ms" }, LIMIT_MS, readings);
  });
}
