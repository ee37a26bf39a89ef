import { LabError } from "../model/error.ts";

/** Whether a program's output, or an error's message, says that there is no space left. */
export function isDiskFull(text: string): boolean {
  // tar says of a file that it could not write whole only how much it wrote.
  return /No space left on device|Wrote only \d+ of \d+ bytes|ENOSPC|enough free space|disk is full|Disk quota exceeded/.test(
    text,
  );
}

export function diskFull(image: string, directory: string): LabError {
  return new LabError(`no space left for building image ${image} in ${directory}`, {
    hint: "make room there (an image takes about 400 MiB), or choose another state directory; nothing of the build is left",
  });
}
