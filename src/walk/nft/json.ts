/** An object of libnftables-json(5); null: something else. */
export function objectOf(value: unknown): Readonly<Record<string, unknown>> | null {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : null;
}

/** Key and value of an object with one key. */
export function soleEntry(value: unknown): [string, unknown] {
  return Object.entries(objectOf(value) ?? {})[0] ?? ["", undefined];
}
