/** What is said, line by line, to a program that reads it. */
export interface Talk {
  say(line: string): void;
  /** For the program's standard input; ends with `end`, when all was said. */
  lines(): AsyncGenerator<string>;
  /** Idempotent. */
  end(): void;
}

/** Says `beat` again and again, so that whoever listens hears when the connection is gone. */
export function talk(beatMs: number): Talk {
  const said: string[] = [];
  let isOver = false;
  let wake = () => {};
  const say = (line: string) => {
    said.push(line);
    wake();
  };
  const beat = setInterval(() => say("beat"), beatMs);
  return {
    say,
    async *lines() {
      for (;;) {
        for (const line of said.splice(0)) yield `${line}\n`;
        if (isOver && said.length === 0) return;
        if (said.length === 0) await new Promise<void>((resolve) => (wake = resolve));
      }
    },
    end() {
      clearInterval(beat);
      isOver = true;
      wake();
    },
  };
}
