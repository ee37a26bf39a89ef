import { labSchema, type Lab } from "../model/lab.ts";
import { labIssues } from "../model/lab-rules.ts";
import { parseFile } from "./parse.ts";

/**
 * Reads a lab file.
 * @param name how the file is called in messages
 * @throws FileError with every problem at its line and column
 */
export function parseLab(name: string, text: string): Lab {
  const file = parseFile(name, text, labSchema);
  file.refuse(labIssues(file.value));
  return file.value;
}
