import picocolors from "picocolors";

/** What a part of a text means, to be shown in colours or not. */
export interface Painter {
  good(text: string): string;
  bad(text: string): string;
  doubtful(text: string): string;
  faint(text: string): string;
  strong(text: string): string;
}

/** `colour` false: leaves every text as it is. */
export function createPainter(colour: boolean): Painter {
  const { green, red, yellow, dim, bold } = picocolors.createColors(colour);
  return { good: green, bad: red, doubtful: yellow, faint: dim, strong: bold };
}
