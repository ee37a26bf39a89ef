/** One line on stderr that tells how far long work is: rewritten in place on a terminal, elsewhere printed now and then. */
export interface StatusLine {
  /** What is going on now. */
  update(text: string): void;
  /** A line that stays. */
  say(line: string): void;
  end(): void;
}

/** How often a line is printed where it can't be rewritten, ms. */
const LOG_INTERVAL_MS = 10_000;

export function statusLine(stream: NodeJS.WriteStream, nowMs: () => number): StatusLine {
  let shown = "";
  let lastMs = nowMs();
  const clear = () => {
    if (shown !== "") stream.write("\r\u001b[K");
    shown = "";
  };
  return {
    update(text) {
      if (stream.isTTY) {
        shown = text.slice(0, Math.max(20, stream.columns - 1));
        stream.write(`\r${shown}\u001b[K`);
      } else if (nowMs() - lastMs >= LOG_INTERVAL_MS) {
        lastMs = nowMs();
        stream.write(`${text}\n`);
      }
    },
    say(line) {
      clear();
      stream.write(`${line}\n`);
    },
    end: clear,
  };
}
