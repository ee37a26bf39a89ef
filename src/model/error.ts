/** Exit codes of the command line: what kind of thing went wrong. */
export const ExitCode = {
  ok: 0,
  /** The command ran, and its answer is "no": an invalid run, a mismatch, a failed check. */
  negative: 1,
  /** The command line or a file is wrong. */
  usage: 2,
  /** The machine lacks something that the command needs. */
  unavailable: 3,
  /** Another command holds the lab. */
  busy: 4,
  /** A step failed; what had been built was taken down again. */
  failed: 5,
  /** Ended by SIGINT, as shells report it. */
  interrupted: 130,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

interface LabErrorOptions {
  /** What the user can do about it, one sentence. */
  hint?: string;
  exit?: ExitCode;
  cause?: unknown;
}

/** An error that the user is meant to read: says what is wrong, and what to do. Anything else that is thrown is a bug. */
export class LabError extends Error {
  override readonly name = "LabError";
  readonly hint: string | undefined;
  readonly exit: ExitCode;

  constructor(message: string, options: LabErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.hint = options.hint;
    this.exit = options.exit ?? ExitCode.failed;
  }
}
