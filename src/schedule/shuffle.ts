/** A uniform integer from 0 to `bound` - 1; draws again where 2^32 is no multiple of `bound`, so that none is favoured. */
function drawBelow(bound: number, draw: () => number): number {
  const limit = 2 ** 32 - (2 ** 32 % bound);
  let value = draw();
  while (value >= limit) value = draw();
  return value % bound;
}

/**
 * A copy in random order, each order as likely as any (Fisher and Yates; Durstenfeld 1964).
 * `draw` gives uniform integers from 0 to 2^32 - 1.
 */
export function shuffle<T>(items: readonly T[], draw: () => number): T[] {
  const left = [...items];
  const shuffled: T[] = [];
  while (left.length > 0) shuffled.push(...left.splice(drawBelow(left.length, draw), 1));
  return shuffled;
}
