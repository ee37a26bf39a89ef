import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { jsonSchema, type SchemaName } from "./json-schema.ts";

test.each<SchemaName>(["lab", "experiment", "image", "result"])(
  "schema/%s.json, which editors and other programs read, is the schema (cloison schema makes it)",
  (name) => {
    const committed = readFileSync(new URL(`../../schema/${name}.json`, import.meta.url), "utf8");
    expect(committed).toBe(jsonSchema(name));
  },
);

test("durations and sizes are text with a pattern, so that an editor can check them", () => {
  const lab = JSON.parse(jsonSchema("lab")) as {
    properties: { domains: { additionalProperties: { properties: { memory: { type: string; pattern: string } } } } };
  };
  const { type, pattern } = lab.properties.domains.additionalProperties.properties.memory;
  expect(type).toBe("string");
  expect("512M").toMatch(new RegExp(pattern));
  expect("12 MB").not.toMatch(new RegExp(pattern));
});
