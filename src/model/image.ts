import * as z from "zod";
import { nameSchema } from "./name.ts";

/** A file to put into a root file system; absolute path, plain text. */
export const imageFileSchema = z.strictObject({
  content: z.string(),
  mode: z
    .string()
    .regex(/^0[0-7]{3}$/, "is not a mode: write it as 0644")
    .default("0644"),
});

/** A program that a domain runs for as long as it lives, in the foreground, started by the domain's first process. */
export const serviceSchema = z.strictObject({
  command: z.array(z.string()).min(1),
});

/** What a root file system is made of. Debian's packages from the machine's own apt sources, then files, then commands. */
export const recipeSchema = z.strictObject({
  base: z.enum(["minbase", "apt"]).default("minbase").describe("mmdebstrap's variant"),
  packages: z.array(z.string().regex(/^[a-z0-9][a-z0-9.+-]+$/, "is not the name of a Debian package")).default([]),
  files: z.record(z.string().regex(/^\/[^\0]*$/, "is not an absolute path"), imageFileSchema).default({}),
  commands: z.array(z.string()).default([]).describe("shell commands run inside the new root, last"),
  services: z.record(nameSchema, serviceSchema).default({}),
});
export type Recipe = z.output<typeof recipeSchema>;

const builtInRecipeSchema = z.enum(["web", "stress", "plain"]);
export type BuiltInRecipe = z.output<typeof builtInRecipeSchema>;

/** Services of the recipes that Cloison brings; the recipes themselves stand in images/. */
export const BUILT_IN_SERVICES: Record<BuiltInRecipe, string[]> = { web: ["apache"], stress: [], plain: [] };

/** One of the recipes that Cloison brings, what a lab adds to it, or a recipe wholly of the lab's own. */
export const imageSchema = recipeSchema.extend({
  recipe: builtInRecipeSchema.optional().describe("begins with this recipe; what stands beside it is added"),
});
export type Image = z.output<typeof imageSchema>;
