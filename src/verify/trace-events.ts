import type { TraceEvent } from "../model/observation.ts";
import type { NamespaceName } from "../model/plan.ts";

/** Table by which packets are picked for tracing; its own events say nothing of the lab. */
export const TRACE_TABLE = "cloison-trace";

const EVENT = /^trace id (?<packet>\S+) (?<family>\S+) (?<table>\S+) (?<chain>\S+) (?<rest>.*)$/;
const RULE = /^rule (?<rule>.*?)(?: # handle (?<handle>\d+))? \(verdict (?<verdict>.*)\)\s*$/;
const END = /^(?:policy|verdict) (?<verdict>.*?)\s*$/;

/** Reads what `nft -a monitor trace` prints (its JSON output has no traces). Lines that describe the packet are passed over. */
export function traceEvents(namespace: NamespaceName, text: string): TraceEvent[] {
  return text.split("\n").flatMap((line): TraceEvent[] => {
    const event = EVENT.exec(line)?.groups;
    if (event === undefined || event["table"] === TRACE_TABLE) return [];
    const { packet = "", family = "", table = "", chain = "", rest = "" } = event;
    const place = { namespace, packet, family, table, chain };
    const rule = RULE.exec(rest)?.groups;
    if (rule !== undefined) {
      const handle = rule["handle"] === undefined ? null : Number(rule["handle"]);
      return [{ ...place, rule: rule["rule"] ?? "", handle, verdict: rule["verdict"] ?? "" }];
    }
    const end = END.exec(rest)?.groups;
    return end === undefined ? [] : [{ ...place, rule: null, handle: null, verdict: end["verdict"] ?? "" }];
  });
}
