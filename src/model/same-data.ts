/**
 * Whether two values are the same as JSON: what is undefined is as good as not there. Several times as fast as
 * `isDeepStrictEqual`, for plans with thousands of objects.
 */
export function sameData(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    return (
      Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((entry, i) => sameData(entry, b[i]))
    );
  }
  return sameEntries(a as Data, b as Data);
}

type Data = Record<string, unknown>;

function sameEntries(a: Data, b: Data): boolean {
  let left = 0;
  // Plans are plain data, whose keys are all their own.
  for (const key in a) {
    const value = a[key];
    if (value === undefined) continue;
    if (!Object.hasOwn(b, key) || !sameData(value, b[key])) return false;
    left += 1;
  }
  for (const key in b) if (b[key] !== undefined) left -= 1;
  return left === 0;
}
