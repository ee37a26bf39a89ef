import { FileError } from "../model/issue.ts";
import { parseLab } from "./lab-file.ts";

/** A lab of one domain `a` on the network `n`; what is given replaces or adds lines. */
export function labText({
  networks = ["n: { subnet: 10.9.0.0/24 }"],
  domains = ["a: { image: p }"],
  top = [],
}: {
  networks?: string[];
  domains?: string[];
  top?: string[];
}): string {
  return [
    "name: t",
    "images: { p: { recipe: plain } }",
    ...top,
    "networks:",
    ...networks.map((line) => `  ${line}`),
    "domains:",
    ...domains.map((line) => `  ${line}`),
    "",
  ].join("\n");
}

/** The lines that say what is wrong with a lab file; none: nothing. */
export function complaints(text: string): string[] {
  try {
    parseLab("l.yaml", text);
  } catch (error) {
    if (error instanceof FileError) return error.lines;
    throw error;
  }
  return [];
}
