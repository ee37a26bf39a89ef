import { isMap, isNode, isPair, isScalar, LineCounter, parseDocument, type Document } from "yaml";
import type * as z from "zod";
import { FileError, type Issue } from "../model/issue.ts";
import { schemaIssues } from "./schema-issues.ts";

/** A parsed file, which still knows where each of its values stands. */
export interface ParsedFile<T> {
  name: string;
  text: string;
  value: T;
  /** Throws a FileError with every issue at its place; does nothing when there is none. */
  refuse(issues: Issue[]): void;
}

/**
 * Reads YAML (JSON is a part of it) by a schema.
 * @param name how the file is called in messages, as the user wrote it
 * @throws FileError with all problems at once
 */
export function parseFile<S extends z.ZodType>(name: string, text: string, schema: S): ParsedFile<z.output<S>> {
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter, uniqueKeys: true, prettyErrors: false });
  if (document.errors.length > 0) {
    throw new FileError(
      document.errors.map((error) => `${place(name, counter, error.pos[0])}: ${error.message.replace(/\s+/g, " ")}`),
    );
  }
  const refuse = (issues: Issue[]) => {
    if (issues.length === 0) return;
    const located = issues.map((issue) => ({ offset: offsetOf(document, issue.path), issue }));
    located.sort((a, b) => a.offset - b.offset);
    throw new FileError(
      located.map(({ offset, issue }) => {
        const path = issue.path.length === 0 ? "" : `${issue.path.join(".")}: `;
        return `${place(name, counter, offset)} ${path}${issue.message}`;
      }),
    );
  };
  const raw: unknown = document.toJS({ maxAliasCount: 100 });
  const result = schema.safeParse(raw);
  if (!result.success) {
    refuse(schemaIssues(schema, raw, result.error.issues));
    throw new FileError([`${name}: does not follow its schema`]);
  }
  return { name, text, value: result.data, refuse };
}

function place(name: string, counter: LineCounter, offset: number): string {
  const { line, col } = counter.linePos(offset);
  return `${name}:${line}:${col}`;
}

/** Where the value at a path begins: for a key of a map the key itself; for what is missing, the nearest thing around it. */
function offsetOf(document: Document, path: (string | number)[]): number {
  let node: unknown = document.contents;
  let offset = 0;
  for (const part of path) {
    if (isMap(node)) {
      const pair = node.items.find(
        (item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(part),
      );
      if (pair === undefined) return offset;
      if (isNode(pair.key) && pair.key.range) offset = pair.key.range[0];
      node = pair.value;
    } else if (isNode(node) && "items" in node && Array.isArray(node.items)) {
      node = node.items[Number(part)];
      if (!isNode(node)) return offset;
      if (node.range) offset = node.range[0];
    } else return offset;
  }
  return offset;
}
