import type { NftSet, NftStatement } from "../../model/nft.ts";
import { ip, parseIp } from "../ip-address.ts";
import { UNKNOWN, type Scene, type Statement, type Translation, type Value, type Verdict } from "./chain.ts";
import { NAME } from "./datatype.ts";
import { compileExpression, type Expression } from "./expression.ts";
import { objectOf, soleEntry } from "./json.ts";
import { compileMembers } from "./members.ts";

const PASS: Statement = () => true;
const UNKNOWN_VERDICT: Verdict = { kind: "unknown" };
const NOT_MODELLED: Statement = () => UNKNOWN_VERDICT;

/** One statement of a rule, ready to run. What is not modelled becomes one that ends with `unknown`. */
export function compileStatement(statement: NftStatement, sets: readonly NftSet[]): Statement {
  const [key, value] = soleEntry(statement);
  const body = objectOf(value);
  switch (key) {
    case "match":
      return compileMatch(body ?? {}, sets);
    case "vmap":
      return compileVerdictMap(body ?? {}, sets);
    case "counter":
    case "log":
    case "last":
      return PASS;
    case "limit":
      // One packet is within any rate, and over none.
      return body?.["inv"] === true ? () => false : PASS;
    case "mangle":
      return compileMangle(body ?? {});
    case "snat":
    case "dnat":
    case "masquerade":
    case "redirect":
      return compileTranslation(key, body ?? {}, sets);
    default: {
      const verdict = verdictOf(statement);
      return verdict === null ? NOT_MODELLED : () => verdict;
    }
  }
}

function verdictOf(json: unknown): Verdict | null {
  const [key, value] = soleEntry(json);
  switch (key) {
    case "accept":
    case "drop":
    case "continue":
    case "return":
      return { kind: key };
    case "reject":
      return { kind: "drop" };
    case "jump":
    case "goto":
      return { kind: key, target: String(objectOf(value)?.["target"]) };
    default:
      return null;
  }
}

/** The parts of an expression: one, or those of a concatenation. null: one of them is not modelled. */
function compileParts(json: unknown): Expression[] | null {
  const parts = objectOf(json)?.["concat"];
  const compiled = (Array.isArray(parts) ? (parts as unknown[]) : [json]).map(compileExpression);
  return compiled.every((part) => part !== null) ? compiled : null;
}

/** Values of all parts; undefined: one does not apply; UNKNOWN wins over nothing else. */
function readParts(parts: readonly Expression[], scene: Scene): string[] | undefined | typeof UNKNOWN {
  const values: string[] = [];
  let isUnknown = false;
  for (const { read } of parts) {
    const value = read(scene);
    if (value === undefined) return undefined;
    if (value === UNKNOWN) isUnknown = true;
    else values.push(value);
  }
  return isUnknown ? UNKNOWN : values;
}

function compileMatch({ op, left, right }: Readonly<Record<string, unknown>>, sets: readonly NftSet[]): Statement {
  const parts = compileParts(left);
  if (parts === null) return NOT_MODELLED;
  const compare = compileComparison(op, parts, right, sets);
  if (compare === null) return NOT_MODELLED;
  return (scene) => {
    const values = readParts(parts, scene);
    if (values === undefined) return false;
    const result = values === UNKNOWN ? null : compare(values);
    return result ?? UNKNOWN_VERDICT;
  };
}

function compileComparison(
  op: unknown,
  parts: readonly Expression[],
  right: unknown,
  sets: readonly NftSet[],
): ((values: readonly string[]) => boolean | null) | null {
  const types = parts.map(({ type }) => type);
  const [type] = types;
  const isSet = objectOf(right)?.["set"] !== undefined || (typeof right === "string" && right.startsWith("@"));
  if (type?.isMask === true && types.length === 1 && !isSet) {
    const mask = type.canonical(right);
    if (mask === null) return null;
    const bits = BigInt(mask);
    // `ct state established,related`: any of the bits; with a sign of comparison: exactly these.
    if (op === "in" || (op === "==" && Array.isArray(right))) return ([value = "0"]) => (BigInt(value) & bits) !== 0n;
    if (op === "!") return ([value = "0"]) => (BigInt(value) & bits) === 0n;
    if (op === "==") return ([value]) => value === mask;
    if (op === "!=") return ([value]) => value !== mask;
    return null;
  }
  if (op === "==" || op === "in" || op === "!=") {
    const { has } = compileMembers(right, types, sets);
    if (op !== "!=") return has;
    return (values) => {
      const found = has(values);
      return found === null ? null : !found;
    };
  }
  return type === undefined || types.length > 1 ? null : compileOrder(op, type, right);
}

function compileOrder(op: unknown, type: Expression["type"], right: unknown) {
  const canonical = type.canonical(right);
  const limit = canonical === null ? null : type.number(canonical);
  if (limit === null) return null;
  const orders: Record<string, (number: bigint) => boolean> = {
    "<": (number) => number < limit,
    ">": (number) => number > limit,
    "<=": (number) => number <= limit,
    ">=": (number) => number >= limit,
  };
  const holds = orders[String(op)];
  if (holds === undefined) return null;
  return ([value = ""]: readonly string[]) => {
    const number = type.number(value);
    return number === null ? null : holds(number);
  };
}

function compileVerdictMap({ key, data }: Readonly<Record<string, unknown>>, sets: readonly NftSet[]): Statement {
  const parts = compileParts(key);
  if (parts === null) return NOT_MODELLED;
  const { get } = compileMembers(
    data,
    parts.map(({ type }) => type),
    sets,
  );
  return (scene) => {
    const values = readParts(parts, scene);
    if (values === undefined) return false;
    const found = values === UNKNOWN ? null : get(values);
    // No element: the rule does not match (nft_lookup_eval breaks).
    if (found === undefined) return false;
    return verdictOf(found) ?? UNKNOWN_VERDICT;
  };
}

/** Marks are followed; other keys of `meta` and `ct` that can be set change nothing that the model looks at. */
function compileMangle({ key, value }: Readonly<Record<string, unknown>>): Statement {
  const [kind, body] = soleEntry(key);
  const name = objectOf(body)?.["key"];
  if (kind === "meta" && (name === "priority" || name === "nftrace")) return PASS;
  if (name !== "mark" || (kind !== "meta" && kind !== "ct")) return NOT_MODELLED;
  const read = compileValue(value, []);
  return (scene) => {
    const { packet } = scene.frame;
    const mark = read(scene);
    if (mark === undefined || packet.kind !== "ip") return false;
    if (mark === UNKNOWN) return UNKNOWN_VERDICT;
    if (kind === "meta") packet.mark = Number(mark);
    else if (packet.tracked !== null && packet.tracked !== "untracked") packet.tracked.connection.mark = Number(mark);
    return true;
  };
}

/** A right-hand value: written out, read from the packet, or found in a map. */
function compileValue(json: unknown, sets: readonly NftSet[]): (scene: Scene) => Value {
  if (typeof json === "number") return () => String(json);
  if (typeof json === "string") return () => parseIp(json)?.text ?? json;
  const map = objectOf(objectOf(json)?.["map"]);
  if (map !== null) {
    const parts = compileParts(map["key"]);
    if (parts === null) return () => UNKNOWN;
    const { get } = compileMembers(
      map["data"],
      parts.map(({ type }) => type),
      sets,
    );
    return (scene) => {
      const values = readParts(parts, scene);
      if (values === undefined || values === UNKNOWN) return values;
      const found = get(values);
      if (found === undefined) return undefined;
      if (typeof found === "number") return String(found);
      return NAME.canonical(found) ?? UNKNOWN;
    };
  }
  const expression = compileExpression(json);
  return expression === null ? () => UNKNOWN : expression.read;
}

function compileTranslation(
  verb: Translation["verb"],
  body: Readonly<Record<string, unknown>>,
  sets: readonly NftSet[],
): Statement {
  const readAddress = body["addr"] === undefined ? null : compileValue(body["addr"], sets);
  const readPort = body["port"] === undefined ? null : compileValue(body["port"], sets);
  const family = body["family"];
  return (scene) => {
    const { packet } = scene.frame;
    if (packet.kind !== "ip") return false;
    if (family !== undefined && (family === "ip") !== (packet.source.family === 4)) return false;
    const address = readAddress?.(scene) ?? null;
    const port = readPort?.(scene) ?? null;
    if (readAddress !== null && address === null) return false;
    if (address === UNKNOWN || port === UNKNOWN || (address !== null && parseIp(address) === null))
      return UNKNOWN_VERDICT;
    return {
      kind: "translate",
      translation: { verb, address: address === null ? null : ip(address), port: port === null ? null : Number(port) },
    };
  };
}
