import * as z from "zod";
import { nameSchema } from "./name.ts";

/** A file to put into a root file system; absolute path. */
export const imageFileSchema = z.strictObject({
  content: z.string(),
  encoding: z.enum(["base64"]).optional().describe("of the content; default: it is plain text"),
  mode: z
    .string()
    .regex(/^0[0-7]{3}$/, "is not a mode: write it as 0644")
    .default("0644"),
});

/** A program that a domain runs for as long as it lives, in the foreground, started by the domain's first process. */
export const serviceSchema = z.strictObject({
  command: z.array(z.string()).min(1),
});

/** What an image's own file and a lab's images say alike. */
const commonParts = {
  base: z.enum(["minbase", "apt"]).default("minbase").describe("mmdebstrap's variant"),
  packages: z.array(z.string().regex(/^[a-z0-9][a-z0-9.+-]+$/, "is not the name of a Debian package")).default([]),
  files: z.record(z.string().regex(/^\/[^\0]*$/, "is not an absolute path"), imageFileSchema).default({}),
  commands: z.array(z.string()).default([]).describe("shell commands run inside the new root, last"),
  services: z.record(nameSchema, serviceSchema).default({}),
};

/** Hash of a password as crypt(5) writes it; the password itself has no place in a file. */
export const passwordHash = z
  .string()
  .regex(/^\$[0-9a-z]+\$[^:\s]+$/, "is not the hash of a password: write what `openssl passwd -6` prints");

/** An account that is made in the new root. */
export const imageUserSchema = z.strictObject({
  uid: z.int().min(1000).max(59999).optional().describe("default: the next free one"),
  groups: z.array(z.string().regex(/^[a-z_][a-z0-9_-]{0,31}$/, "is not the name of a group")).default([]),
  shell: z.string().regex(/^\//, "is not an absolute path").default("/bin/bash"),
  passwordHash: passwordHash.optional().describe("default: none, and no login by password"),
  sshKeys: z
    .array(z.string().regex(/^(ssh|ecdsa|sk)-\S+ \S+/, "is not a public key of ssh"))
    .default([])
    .describe("public keys that may log in"),
});
export type ImageUser = z.output<typeof imageUserSchema>;

/** Whose packages an image is made of; absent: the machine's own release. */
export const systemSchema = z.strictObject({
  distribution: z.enum(["debian", "ubuntu"]),
  release: z.string(),
  mirror: z.string().optional().describe("URI of the archive; default: the machine's own way to it"),
});
export type ImageSystem = z.output<typeof systemSchema>;

/** A script run on the machine with the new root's path as its argument. */
export const hookSchema = z.strictObject({ name: z.string(), script: z.string() });
export type Hook = z.output<typeof hookSchema>;

/** What only images with a name of their own may say besides. */
const namedParts = {
  system: systemSchema.optional(),
  users: z.record(z.string(), imageUserSchema).optional(),
  rootPasswordHash: passwordHash.optional(),
  hooks: z.array(hookSchema).optional(),
  imported: z.string().optional().describe("key of an imported root file system: nothing is built"),
};

/** What a root file system is made of: packages from the machine's own apt sources, then files, users, commands, hooks. */
export const recipeSchema = z.strictObject({ ...commonParts, ...namedParts });
export type Recipe = z.output<typeof recipeSchema>;

const builtInRecipeSchema = z.enum(["web", "stress", "plain"]);
export type BuiltInRecipe = z.output<typeof builtInRecipeSchema>;

/** Services of the recipes that Cloison brings; the recipes themselves stand in images/. */
export const BUILT_IN_SERVICES: Record<BuiltInRecipe, string[]> = { web: ["apache"], stress: [], plain: [] };

/** One of the recipes that Cloison brings, what a lab adds to it, or a recipe wholly of the lab's own. */
export const imageSchema = z.strictObject({
  ...commonParts,
  recipe: builtInRecipeSchema.optional().describe("begins with this recipe; what stands beside it is added"),
});
/** An image of a lab; one that `cloison image` has made has all parts of a recipe. */
export type Image = z.output<typeof imageSchema> & Partial<Omit<Recipe, keyof typeof commonParts>>;
