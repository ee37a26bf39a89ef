import type { NftSet } from "../../model/nft.ts";
import type { Datatype } from "./datatype.ts";
import { objectOf } from "./json.ts";

/** Whether values, one per part of a concatenation, are among the members; null: it depends on something not modelled. */
export interface Members {
  has: (values: readonly string[]) => boolean | null;
  /** What the values lead to in a map; undefined: nothing. */
  get: (values: readonly string[]) => unknown;
}

type Test = (value: string) => boolean;

/**
 * The right side of a match or the key side of a map: a value, a prefix, a range, an anonymous or named set, a list.
 * Single values are hashed; what spans several is looked through.
 */
export function compileMembers(json: unknown, types: readonly Datatype[], sets: readonly NftSet[]): Members {
  const exact = new Map<string, unknown>();
  const spans: { tests: Test[]; leadsTo: unknown }[] = [];
  let isComplete = true;
  for (const { element, leadsTo } of elementsOf(json, sets, () => (isComplete = false))) {
    const parts = partsOf(element, types.length);
    const values = parts?.map((part, index) =>
      isWildcard(part, types[index]) ? null : (types[index]?.canonical(part) ?? null),
    );
    if (parts === null || values === undefined) isComplete = false;
    else if (values.every((value) => value !== null)) exact.set(values.join(" "), leadsTo);
    else {
      const tests = parts.map((part, index) => compileSpan(part, types[index]));
      if (tests.every((test) => test !== null)) spans.push({ tests, leadsTo });
      else isComplete = false;
    }
  }
  const find = (values: readonly string[]) => {
    const key = values.length === 1 ? (values[0] ?? "") : values.join(" ");
    if (exact.has(key)) return { leadsTo: exact.get(key) };
    return spans.find(({ tests }) => tests.every((test, index) => test(values[index] ?? "")));
  };
  return {
    has: (values) => find(values) !== undefined || (isComplete ? false : null),
    get: (values) => {
      const found = find(values);
      if (found !== undefined) return found.leadsTo;
      return isComplete ? undefined : null;
    },
  };
}

function elementsOf(
  json: unknown,
  sets: readonly NftSet[],
  onMissing: () => void,
): { element: unknown; leadsTo: unknown }[] {
  if (typeof json === "string" && json.startsWith("@")) {
    const set = sets.find(({ name }) => name === json.slice(1));
    if (set === undefined) onMissing();
    return (set?.elements ?? []).map((element) => pairOf(element, set?.map !== undefined));
  }
  const anonymous = objectOf(json)?.["set"];
  if (Array.isArray(anonymous))
    return (anonymous as unknown[]).map((element) => pairOf(element, Array.isArray(element)));
  if (Array.isArray(json)) return (json as unknown[]).map((element) => pairOf(element, false));
  return [pairOf(json, false)];
}

/** An element of a map is `[key, value]`; either may be wrapped to carry a comment or a timeout. */
function pairOf(element: unknown, isPair: boolean): { element: unknown; leadsTo: unknown } {
  if (!isPair || !Array.isArray(element)) return { element: unwrap(element), leadsTo: true };
  const [key, value] = element as unknown[];
  return { element: unwrap(key), leadsTo: value };
}

function unwrap(element: unknown): unknown {
  const wrapped = objectOf(objectOf(element)?.["elem"]);
  return wrapped === null ? element : wrapped["val"];
}

function partsOf(element: unknown, count: number): unknown[] | null {
  if (count === 1) return [element];
  const parts = objectOf(element)?.["concat"];
  return Array.isArray(parts) && parts.length === count ? (parts as unknown[]) : null;
}

function isWildcard(part: unknown, type: Datatype | undefined): part is string {
  return type?.hasWildcards === true && typeof part === "string" && part.endsWith("*");
}

function compileSpan(part: unknown, type: Datatype | undefined): Test | null {
  if (type === undefined) return null;
  if (part === "*") return () => true;
  if (isWildcard(part, type)) {
    const beginning = part.slice(0, -1);
    return (value) => value.startsWith(beginning);
  }
  const single = type.canonical(part);
  if (single !== null) return (value) => value === single;
  const ends = endsOf(part, type);
  if (ends === null) return null;
  const [low, high] = ends;
  return (value) => {
    const number = type.number(value);
    return number !== null && low <= number && number <= high;
  };
}

function endsOf(part: unknown, type: Datatype): [bigint, bigint] | null {
  const object = objectOf(part);
  const prefix = objectOf(object?.["prefix"]);
  if (prefix !== null) return type.prefix?.(prefix["addr"], Number(prefix["len"])) ?? null;
  const range = object?.["range"];
  if (!Array.isArray(range)) return null;
  const numberOf = (end: unknown): bigint | null => {
    const canonical = type.canonical(end);
    return canonical === null ? null : type.number(canonical);
  };
  const low = numberOf(range[0]);
  const high = numberOf(range[1]);
  return low === null || high === null ? null : [low, high];
}
