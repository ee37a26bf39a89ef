import * as z from "zod";
import { nameSchema } from "./name.ts";
import { recipeSchema } from "./image.ts";

const bytes = z.int().min(0).nullable();

/** An image that `cloison image` has made: what it is made of, and what was last made of it. */
export const namedImageSchema = z.strictObject({
  schema: z.literal("cloison.named-image/1"),
  name: nameSchema,
  createdAt: z.iso.datetime(),
  source: z.string().nullable().describe("file that it was created from or imported from"),
  recipe: recipeSchema,
  sizeBytes: bytes.describe("of its disk"),
  memoryBytes: bytes.describe("of domains that say nothing of theirs"),
  swapBytes: bytes.describe("beside the file system on its disk"),
  key: z.string().nullable().describe("of the root file system that labs use; null: none has been built"),
});
export type NamedImage = z.output<typeof namedImageSchema>;
