import type { NftRule, NftStatement } from "./nft.ts";

type Json = Readonly<Record<string, unknown>>;

/** A rule as `nft list ruleset -a` writes it, handle included where there is one. What nft-json(5) has and this does not know stays JSON. */
export function nftRuleText({ expr, comment, handle }: NftRule): string {
  return [
    ...expr.map(nftStatementText),
    ...(comment === undefined ? [] : [`comment "${comment}"`]),
    ...(handle === undefined ? [] : [`# handle ${handle}`]),
  ].join(" ");
}

/** `vif1.0 . 10.23.0.11 comment "apache1"` */
export function nftElementText(element: unknown): string {
  const wrapped = objectOf(objectOf(element)?.["elem"]);
  if (wrapped === null) return valueText(element);
  const comment = wrapped["comment"];
  return `${valueText(wrapped["val"])}${typeof comment === "string" ? ` comment "${comment}"` : ""}`;
}

/** One statement: `iifname "eth0"`, `dnat ip to 10.0.0.2:80`, `drop`. */
export function nftStatementText(statement: NftStatement): string {
  const [key = "", value] = Object.entries(statement)[0] ?? [];
  const body = objectOf(value);
  switch (key) {
    case "match":
      return matchText(body ?? {});
    case "vmap":
      return `${expressionText(body?.["key"])} vmap ${valueText(body?.["data"])}`;
    case "jump":
    case "goto":
      return `${key} ${String(body?.["target"])}`;
    case "counter":
    case "accept":
    case "drop":
    case "continue":
    case "return":
    case "notrack":
      return key;
    case "masquerade":
    case "redirect":
    case "dnat":
    case "snat":
      return translationText(key, body);
    case "reject":
      return body === null ? "reject" : `reject with ${[body["type"], body["expr"]].filter(Boolean).join(" ")}`;
    case "log":
      return typeof body?.["prefix"] === "string" ? `log prefix "${body["prefix"]}"` : "log";
    case "limit":
      return `limit rate ${String(body?.["rate"])}/${String(body?.["per"])}`;
    case "mangle":
      return `${expressionText(body?.["key"])} set ${valueText(body?.["value"])}`;
    default:
      return JSON.stringify(statement);
  }
}

/** What `iptables -L` has columns for. */
export interface NftRuleParts {
  /** Its last word: `accept`, `dnat ip to …`; empty: none. */
  verdict: string;
  iifname: string | null;
  oifname: string | null;
  source: string | null;
  destination: string | null;
  /** All other statements. */
  rest: string;
}

const VERDICTS = [
  "accept",
  "drop",
  "reject",
  "return",
  "jump",
  "goto",
  "masquerade",
  "dnat",
  "snat",
  "redirect",
  "vmap",
];

/** Splits a rule as `iptables -L -v` shows it. */
export function nftRuleParts({ expr, comment }: NftRule): NftRuleParts {
  const parts: NftRuleParts = { verdict: "", iifname: null, oifname: null, source: null, destination: null, rest: "" };
  const rest: string[] = [];
  for (const statement of expr) {
    const text = nftStatementText(statement);
    const column = columnOf(statement);
    if (column !== null)
      parts[column] = text
        .replace(/^\S+ (?:\S*addr )?/, "")
        .replace(/^!= /, "!")
        .replaceAll('"', "");
    else if (VERDICTS.includes(Object.keys(statement)[0] ?? "")) parts.verdict = text;
    else rest.push(text);
  }
  if (comment !== undefined) rest.push(`/* ${comment} */`);
  return { ...parts, rest: rest.join(" ") };
}

function columnOf(statement: NftStatement): "iifname" | "oifname" | "source" | "destination" | null {
  const left = objectOf(objectOf(statement["match"])?.["left"]);
  const key = objectOf(left?.["meta"])?.["key"];
  if (key === "iifname" || key === "oifname") return key;
  const payload = objectOf(left?.["payload"]);
  if (payload?.["protocol"] !== "ip" && payload?.["protocol"] !== "ip6") return null;
  if (payload["field"] === "saddr") return "source";
  return payload["field"] === "daddr" ? "destination" : null;
}

function matchText({ op, left, right }: Json): string {
  // `==` is left out, as nft does; `in` is how it writes flags.
  const operator = op === "==" || op === "in" ? "" : `${String(op)} `;
  const subject = expressionText(left);
  const isFlags = op === "in" && Array.isArray(right);
  const value = isFlags ? (right as unknown[]).map(valueText).join(",") : valueText(right);
  const isName = /^[io](if|br)name$/.test(subject) && typeof right === "string" && !right.startsWith("@");
  return `${subject} ${operator}${isName ? `"${value}"` : value}`;
}

function expressionText(expression: unknown): string {
  const [key = "", value] = Object.entries(objectOf(expression) ?? {})[0] ?? [];
  const body = objectOf(value);
  switch (key) {
    case "meta": {
      const name = String(body?.["key"]);
      return /^[io]if|^[io]br/.test(name) ? name : `meta ${name}`;
    }
    case "payload":
      return `${String(body?.["protocol"])} ${String(body?.["field"])}`;
    case "ct":
      return ["ct", ...["dir", "key"].flatMap((part) => (typeof body?.[part] === "string" ? [body[part]] : []))].join(
        " ",
      );
    case "fib":
      return `fib ${(body?.["flags"] as unknown[] | undefined)?.map(String).join(" . ") ?? ""} ${String(body?.["result"])}`;
    case "concat":
      return (value as unknown[]).map(expressionText).join(" . ");
    default:
      return JSON.stringify(expression);
  }
}

function valueText(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (Array.isArray(value)) return value.map(valueText).join(" : ");
  const object = objectOf(value);
  if (object === null) return JSON.stringify(value);
  const prefix = objectOf(object["prefix"]);
  if (prefix !== null) return `${String(prefix["addr"])}/${String(prefix["len"])}`;
  if (Array.isArray(object["range"])) return object["range"].map(valueText).join("-");
  if (Array.isArray(object["set"])) return `{ ${object["set"].map(nftElementText).join(", ")} }`;
  if (Array.isArray(object["concat"])) return object["concat"].map(valueText).join(" . ");
  const [key = ""] = Object.keys(object);
  return VERDICTS.includes(key) ? nftStatementText(object) : expressionText(object);
}

function translationText(verb: string, body: Json | null): string {
  const address = body?.["addr"] === undefined ? "" : valueText(body["addr"]);
  const port = body?.["port"] === undefined ? "" : `:${valueText(body["port"])}`;
  const family = typeof body?.["family"] === "string" ? ` ${body["family"]}` : "";
  return address === "" && port === "" ? verb : `${verb}${family} to ${address}${port}`;
}

function objectOf(value: unknown): Json | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : null;
}
