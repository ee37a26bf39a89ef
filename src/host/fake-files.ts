import type { Files } from "./host.ts";

/** Takes note of one thing that would have been done. */
export type Recorder = (line: string) => void;

/** Text below the line that it belongs to. */
export function indent(text: string): string {
  return text
    .replace(/\n$/, "")
    .split("\n")
    .map((line) => `\n    ${line}`)
    .join("");
}

/** Files in memory; every change is recorded. Directories come into being with what is in them. */
export class FakeFiles implements Files {
  /** Absolute path → text; tests may look and change. */
  readonly texts: Map<string, string>;
  readonly directories = new Set<string>();
  readonly #kinds: Map<string, "symlink" | "other">;
  readonly #record: Recorder;

  constructor(record: Recorder, texts: Record<string, string>, kinds: Record<string, "symlink" | "other">) {
    this.texts = new Map(Object.entries(texts));
    this.#kinds = new Map(Object.entries(kinds));
    this.#record = record;
  }

  async exists(path: string): Promise<boolean> {
    return (await this.kind(path)) !== null;
  }

  async readText(path: string): Promise<string> {
    const text = this.texts.get(path);
    if (text === undefined) throw Object.assign(new Error(`ENOENT: no such file, open '${path}'`), { code: "ENOENT" });
    return text;
  }

  async readTextIfExists(path: string): Promise<string | null> {
    return this.texts.get(path) ?? null;
  }

  async writeText(path: string, text: string, mode?: number): Promise<void> {
    this.#record(`write ${path}${mode === undefined ? "" : ` mode=${mode.toString(8)}`}${indent(text)}`);
    this.texts.set(path, text);
  }

  async replaceText(path: string, text: string): Promise<void> {
    this.#record(`replace ${path}${indent(text)}`);
    this.texts.set(path, text);
  }

  async appendSynced(path: string, text: string): Promise<void> {
    this.#record(`append ${path}${indent(text)}`);
    this.texts.set(path, (this.texts.get(path) ?? "") + text);
  }

  async stamp(path: string): Promise<string | null> {
    return this.readTextIfExists(path);
  }

  async list(path: string): Promise<string[]> {
    const below = this.#below(path).filter((one) => one !== path);
    return [...new Set(below.flatMap((one) => one.slice(path.length).replace(/^\//, "").split("/", 1)))].toSorted();
  }

  async kind(path: string): Promise<"file" | "directory" | "symlink" | "other" | null> {
    if (this.texts.has(path)) return "file";
    return this.#kinds.get(path) ?? (this.#below(path).length > 0 ? "directory" : null);
  }

  async makeDirectory(path: string): Promise<void> {
    this.#record(`make directory ${path}`);
    this.directories.add(path);
  }

  async remove(path: string): Promise<void> {
    this.#record(`remove ${path}`);
    for (const one of this.#below(path)) this.#forget(one);
  }

  async rename(from: string, to: string): Promise<void> {
    this.#record(`rename ${from} ${to}`);
    for (const one of this.#below(from)) {
      const moved = to + one.slice(from.length);
      const text = this.texts.get(one);
      const kind = this.#kinds.get(one);
      this.#forget(one);
      if (text !== undefined) this.texts.set(moved, text);
      else if (kind !== undefined) this.#kinds.set(moved, kind);
      else this.directories.add(moved);
    }
  }

  /** The path itself, if anything was put there, and everything below. */
  #below(path: string): string[] {
    const all = [...this.texts.keys(), ...this.#kinds.keys(), ...this.directories];
    return all.filter((one) => one === path || one.startsWith(path.endsWith("/") ? path : `${path}/`));
  }

  #forget(path: string): void {
    this.texts.delete(path);
    this.#kinds.delete(path);
    this.directories.delete(path);
  }
}
