import * as z from "zod";
import type { Issue } from "../model/issue.ts";
import { nearestName } from "../model/nearest-name.ts";

/** Zod's issues in the words of the file: one issue a key, the likely spelling, unions resolved to the branch that was meant. */
export function schemaIssues(schema: z.ZodType, raw: unknown, issues: z.core.$ZodIssue[]): Issue[] {
  const json = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as JsonSchema;
  return issues.flatMap((issue) => translate(json, raw, issue, []));
}

interface JsonSchema {
  default?: unknown;
  const?: unknown;
  properties?: Record<string, JsonSchema>;
  additionalProperties?: JsonSchema | boolean;
  items?: JsonSchema;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
}

function translate(json: JsonSchema, raw: unknown, issue: z.core.$ZodIssue, above: (string | number)[]): Issue[] {
  const path = [...above, ...issue.path.map((part) => (typeof part === "symbol" ? String(part) : part))];
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => {
        const known = keysAt(json, raw, path);
        const meant = nearestName(key, known);
        return {
          path: [...path, key],
          message: `unknown key${meant === null ? `; known here: ${known.join(", ")}` : `, did you mean ${meant}?`}`,
        };
      });
    case "invalid_union": {
      if (issue.discriminator !== undefined) return [notOneOf(path, at(raw, path), constsAt(json, path))];
      const branches = issue.errors
        .map((errors) => errors.flatMap((error) => translate(json, raw, error, path)))
        .sort((a, b) => weight(a, path) - weight(b, path));
      return branches[0] ?? [{ path, message: issue.message }];
    }
    case "invalid_key":
      return issue.issues.map((inner) => ({ path, message: `${quote(path.at(-1))} ${inner.message}` }));
    case "invalid_type":
      return [
        {
          path,
          message:
            at(raw, path) === undefined
              ? "is missing"
              : `must be ${article(issue.expected)}, not ${show(at(raw, path))}`,
        },
      ];
    case "invalid_value": {
      const values = issue.values.map(String);
      const value = at(raw, path);
      if (value === undefined) return [{ path, message: `is missing: write one of ${values.join(", ")}` }];
      return [notOneOf(path, value, values)];
    }
    case "invalid_format":
    case "custom":
      return [{ path, message: `${show(at(raw, path))} ${issue.message}` }];
    case "too_small":
      return [
        {
          path,
          message:
            at(raw, path) === undefined ? "is missing" : `${show(at(raw, path))} is less than ${String(issue.minimum)}`,
        },
      ];
    case "too_big":
      return [{ path, message: `${show(at(raw, path))} is more than ${String(issue.maximum)}` }];
    default:
      return [{ path, message: issue.message }];
  }
}

/** Which branch of a union was meant: a key it does not know counts most, then the number of issues; one that fails at the top is last. */
function weight(issues: Issue[], path: (string | number)[]): number {
  const atTop = issues.some((issue) => issue.path.length === path.length) ? 100 : 0;
  const unknown = issues.filter(
    (issue) => issue.message.startsWith("unknown key") || issue.message.includes("is missing"),
  ).length;
  return atTop + 10 * unknown + issues.length;
}

function notOneOf(path: (string | number)[], value: unknown, values: string[]): Issue {
  const meant = typeof value === "string" ? nearestName(value, values) : null;
  const hint = meant === null ? "" : `; did you mean ${meant}?`;
  return { path, message: `${show(value)} is not one of ${values.join(", ")}${hint}` };
}

/** The keys that an object may have; of a union those of the branch that its own values choose. */
function keysAt(json: JsonSchema, raw: unknown, path: (string | number)[]): string[] {
  const branches = schemasAt(json, path);
  const value = at(raw, path);
  const chosen = branches.filter((schema) => isChosen(schema, value));
  const keys = (chosen.length > 0 ? chosen : branches).flatMap((schema) => Object.keys(schema.properties ?? {}));
  return [...new Set(keys)].filter((key) => key !== "$schema");
}

function isChosen({ properties = {} }: JsonSchema, value: unknown): boolean {
  return Object.entries(properties).every(
    ([key, { const: only, default: otherwise }]) => only === undefined || only === (at(value, [key]) ?? otherwise),
  );
}

/** What a key that tells the branches of a union apart may be. */
function constsAt(json: JsonSchema, path: (string | number)[]): string[] {
  return schemasAt(json, path).flatMap(({ const: only }) => (typeof only === "string" ? [only] : []));
}

function schemasAt(json: JsonSchema, path: (string | number)[]): JsonSchema[] {
  let here: JsonSchema[] = [json];
  for (const part of path) {
    here = here.flatMap(unfold).flatMap((schema) => {
      if (typeof part === "number") return schema.items === undefined ? [] : [schema.items];
      const property = schema.properties?.[part];
      if (property !== undefined) return [property];
      return typeof schema.additionalProperties === "object" ? [schema.additionalProperties] : [];
    });
  }
  return here.flatMap(unfold);
}

function unfold(schema: JsonSchema): JsonSchema[] {
  return [schema, ...(schema.anyOf ?? []), ...(schema.oneOf ?? [])];
}

function at(raw: unknown, path: (string | number)[]): unknown {
  let value = raw;
  for (const part of path) {
    if (typeof value !== "object" || value === null) return undefined;
    value = (value as Record<string | number, unknown>)[part];
  }
  return value;
}

function show(value: unknown): string {
  if (typeof value === "string") return value === "" ? '""' : value;
  return value === null ? "nothing" : JSON.stringify(value);
}

function quote(value: string | number | undefined): string {
  return JSON.stringify(value ?? "");
}

const TYPE_WORDS: Record<string, string> = {
  object: "a block of keys",
  record: "a block of keys",
  array: "a list",
  int: "a whole number",
  string: "text",
};
function article(type: string): string {
  return TYPE_WORDS[type] ?? `a ${type}`;
}
