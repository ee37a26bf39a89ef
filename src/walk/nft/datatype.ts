import { bitsOf, parseIp } from "../ip-address.ts";
import { objectOf } from "./json.ts";

/** How values of one kind are written in JSON, brought to one canonical text. */
export interface Datatype {
  /** null: not a single value of this kind. */
  canonical: (value: unknown) => string | null;
  /** For ranges and order. */
  number: (canonical: string) => bigint | null;
  /** First and last of a prefix. */
  prefix?: (address: unknown, length: number) => [bigint, bigint] | null;
  /** Names stand for bits that combine. */
  isMask?: boolean;
  /** `vif*` stands for all names that begin so. */
  hasWildcards?: boolean;
}

export const NAME: Datatype = {
  canonical: (value) => (typeof value === "string" ? value : null),
  number: () => null,
};

export const INTERFACE: Datatype = { ...NAME, hasWildcards: true };

export const ADDRESS: Datatype = {
  canonical: (value) => (typeof value === "string" ? (parseIp(value)?.text ?? null) : null),
  number: (canonical) => parseIp(canonical)?.value ?? null,
  prefix(address, length) {
    const first = typeof address === "string" ? parseIp(address) : null;
    if (first === null) return null;
    const size = 1n << BigInt(bitsOf(first) - length);
    const low = (first.value / size) * size;
    return [low, low + size - 1n];
  },
};

export const MAC: Datatype = {
  canonical: (value) =>
    typeof value === "string" && /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(value) ? value.toLowerCase() : null,
  number: (canonical) => BigInt(`0x${canonical.replaceAll(":", "")}`),
};

/** Numbers, some of which have names. */
export function numbers(names: Readonly<Record<string, number>> = {}, isMask = false): Datatype {
  const canonical = (value: unknown): string | null => {
    if (typeof value === "number") return String(value);
    if (typeof value === "boolean") return value ? "1" : "0";
    if (typeof value === "string") {
      const named = names[value];
      if (named !== undefined) return String(named);
      return /^(\d+|0x[0-9a-f]+)$/i.test(value) ? String(Number(value)) : null;
    }
    if (!isMask) return null;
    const parts = Array.isArray(value) ? (value as unknown[]) : objectOf(value)?.["|"];
    if (!Array.isArray(parts)) return null;
    let sum = 0n;
    for (const part of parts as unknown[]) {
      const bits = canonical(part);
      if (bits === null) return null;
      sum |= BigInt(bits);
    }
    return String(sum);
  };
  return { canonical, number: (text) => (/^\d+$/.test(text) ? BigInt(text) : null), isMask };
}
