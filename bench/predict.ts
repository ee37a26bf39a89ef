import { parseLab } from "../src/files/lab-file.ts";
import { planLab } from "../src/plan/plan.ts";
import { predict } from "../src/walk/predict.ts";
import { limitRow } from "./pairs.ts";
import { PLAN_INPUTS } from "./plan-inputs.ts";
import type { Row } from "./row.ts";

const DOMAINS = 100;
const READINGS = 10;
const LIMIT_S = 2;
const MODES = ["bridge", "routed", "nat"];

/** All pairs of 100 domains, the host, the router and the company's machines, by ARP, by ping and at one service each. */
export function predictBench(say: (line: string) => void): Promise<Row[]> {
  return Promise.resolve(MODES.map((mode) => measure(mode, say)));
}

function measure(mode: string, say: (line: string) => void): Row {
  const plan = planLab(parseLab("lab.yaml", labText(mode)), PLAN_INPUTS);
  const seconds: number[] = [];
  let walks = 0;
  for (let reading = -1; reading < READINGS; reading++) {
    const startedMs = performance.now();
    walks = predict(plan.network, plan.endpoints).length;
    const taken = (performance.now() - startedMs) / 1000;
    // The first one is the compiler's.
    if (reading >= 0) seconds.push(taken);
  }
  say(`${mode}: ${walks} walks in ${Math.max(...seconds).toFixed(2)} s at most`);
  const name = `predict all pairs of ${DOMAINS} domains, ${mode}`;
  return limitRow({ name, unit: "s", note: `${walks} questions` }, LIMIT_S, seconds);
}

function labText(mode: string): string {
  return `name: predict
platform: namespace
images:
  plain: { recipe: plain }
networks:
  net: { mode: ${mode}, subnet: 10.23.0.0/24 }
domains:
  d: { image: plain, count: ${DOMAINS}, listen: [80/tcp] }
`;
}
