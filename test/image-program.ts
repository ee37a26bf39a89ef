import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { PROGRAM, type Ended, type Sandbox } from "./sandbox.ts";

/** `cloison image` in a sandbox with a store of its own, and what is in that store. */
export interface ImageProgram {
  /** With the defaults in config/, and something in the environment that is nobody's business. */
  argv(...args: string[]): string[];
  run(...args: string[]): Ended;
  /** @returns what it prints */
  succeed(...args: string[]): string;
  json<T>(...args: string[]): T;
  /** How a command ended which has changed and left nothing. */
  refused(...args: string[]): Ended;
  /** Writes a file where the commands look for it. @returns its name */
  file(name: string, text: string): string;
  store: string;
  /** Descriptions of images, by their files. */
  names(): string[];
  /** What the store has beside images, names and apt's own things. */
  remains(): string[];
}

export function imageProgram(sandbox: Sandbox): ImageProgram {
  const store = join(sandbox.state, "images");
  const list = (path: string) => (existsSync(path) ? readdirSync(path) : []);
  const env = ["env", "-C", sandbox.folder, `XDG_CONFIG_HOME=${join(sandbox.folder, "config")}`, "SECRET_OF_USER=x"];
  const program: ImageProgram = {
    argv: (...args) => [...env, process.execPath, PROGRAM, "image", ...args],
    run: (...args) => sandbox.run(program.argv(...args)),
    succeed(...args) {
      const ended = program.run(...args);
      expect(ended, `cloison image ${args.join(" ")}`).toMatchObject({ code: 0 });
      return ended.stdout;
    },
    json: <T>(...args: string[]) => JSON.parse(program.succeed(...args, "--json")) as T,
    refused(...args) {
      const stored = () => [program.names(), list(store).filter((name) => !name.startsWith("."))];
      const before = stored();
      const ended = program.run(...args);
      expect(stored()).toEqual(before);
      expect(program.remains()).toEqual([]);
      return ended;
    },
    file(name, text) {
      writeFileSync(join(sandbox.folder, name), text);
      return name;
    },
    store,
    names: () => list(join(store, ".named")).toSorted(),
    remains: () => list(join(store, ".building")),
  };
  return program;
}

/** For `toMatchObject`: that it ended so. */
export const telling = (code: number, words: RegExp) => ({ code, stderr: expect.stringMatching(words) as string });
