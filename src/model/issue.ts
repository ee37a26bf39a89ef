import { ExitCode, LabError } from "./error.ts";

/** Something wrong in a file: where (keys from the top), and what. */
export interface Issue {
  path: (string | number)[];
  message: string;
}

/** A file that can't be used: every problem at once, one a line, `file:line:column path: reason`. */
export class FileError extends LabError {
  readonly lines: string[];

  constructor(lines: string[]) {
    super(lines.join("\n"), { exit: ExitCode.usage });
    this.lines = lines;
  }
}
