import * as z from "zod";

const SIZE = /^(\d+(?:\.\d+)?)([KMGT])$/;
const SIZE_FACTOR = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 } as const;
const RATE = /^(\d+(?:\.\d+)?)([KMG])$/;
const RATE_FACTOR = { K: 1e3, M: 1e6, G: 1e9 } as const;
const DURATION = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/;
const DURATION_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

/** A size as people write it (`512M`, `1.5G`; powers of 1024), in bytes. */
export const sizeBytes = z
  .string()
  .regex(SIZE, "is not a size: write a number and K, M, G or T, such as 512M")
  .transform((text) => {
    const [, amount, unit] = SIZE.exec(text) ?? [];
    return Math.round(Number(amount) * SIZE_FACTOR[unit as keyof typeof SIZE_FACTOR]);
  });

/** A rate of a link as people write it (`10M`, `1G`; powers of 1000, as link rates are), in bits a second. */
export const bitsPerSecond = z
  .string()
  .regex(RATE, "is not a rate: write a number and K, M or G (bits a second), such as 10M")
  .transform((text) => {
    const [, amount, unit] = RATE.exec(text) ?? [];
    return Math.round(Number(amount) * RATE_FACTOR[unit as keyof typeof RATE_FACTOR]);
  });

/** A duration as people write it (`10ms`, `4s`, `2m`), in milliseconds. */
export const durationMs = z
  .string()
  .regex(DURATION, "is not a duration: write a number and ms, s, m or h, such as 500ms")
  .transform((text) => {
    const [, amount, unit] = DURATION.exec(text) ?? [];
    return Number(amount) * DURATION_MS[unit as keyof typeof DURATION_MS];
  });

/** Writes bytes as people do: `256M`, `1.5G`. */
export function formatBytes(bytes: number): string {
  for (const unit of ["T", "G", "M", "K"] as const) {
    const amount = bytes / SIZE_FACTOR[unit];
    if (amount >= 1) return `${Number(amount.toFixed(1))}${unit}`;
  }
  return `${bytes}B`;
}
