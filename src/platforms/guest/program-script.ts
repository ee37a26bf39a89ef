import { ExitCode, LabError } from "../../model/error.ts";
import { shellQuote } from "../init-script.ts";

/**
 * Shell that becomes the program. It looks it up itself: Debian's busybox would take its own applet of that name instead of
 * the image's program, but for a path.
 * @throws LabError for an environment that a shell cannot set
 */
export function programScript([program = "", ...args]: readonly string[], env: Record<string, string> = {}): string {
  const settings = Object.entries(env).map(([name, value]) => {
    if (/^[A-Za-z_]\w*$/.test(name)) return `export ${name}=${shellQuote(value)}`;
    throw new LabError(`${JSON.stringify(name)} is not the name of an environment variable`, { exit: ExitCode.usage });
  });
  const words = ['"$cloison_program"', ...args.map(shellQuote)];
  return [
    "cd /",
    ...settings,
    `cloison_program=${shellQuote(program)}`,
    ...(program.includes("/") ? [] : LOOK_UP),
    `exec ${words.join(" ")}`,
    "",
  ].join("\n");
}

const LOOK_UP = [
  "cloison_name=$cloison_program cloison_program=",
  "IFS=:",
  "for cloison_directory in $PATH; do",
  '  if [ -f "$cloison_directory/$cloison_name" ] && [ -x "$cloison_directory/$cloison_name" ]; then',
  "    cloison_program=$cloison_directory/$cloison_name",
  "    break",
  "  fi",
  "done",
  "unset IFS",
  '[ -n "$cloison_program" ] || { echo "$cloison_name: not found" >&2; exit 127; }',
];
