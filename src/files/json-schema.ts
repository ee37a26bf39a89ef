import * as z from "zod";
import { experimentSchema } from "../model/experiment.ts";
import { imageConfigurationSchema } from "../model/image-configuration.ts";
import { labSchema } from "../model/lab.ts";
import { resultSchema } from "../model/result.ts";

/** What `cloison schema` can print. */
export const SCHEMAS = {
  lab: labSchema,
  experiment: experimentSchema,
  image: imageConfigurationSchema,
  result: resultSchema,
} as const;
export type SchemaName = keyof typeof SCHEMAS;

/** JSON Schema (draft 2020-12) of a file that people write, or of what Cloison writes. */
export function jsonSchema(name: SchemaName): string {
  const io = name === "result" ? "output" : "input";
  return `${JSON.stringify({ title: `Cloison ${name}`, ...z.toJSONSchema(SCHEMAS[name], { io, unrepresentable: "any" }) }, null, 2)}\n`;
}
