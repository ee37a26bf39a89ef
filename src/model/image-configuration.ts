import * as z from "zod";
import { imageFileSchema, imageSchema, imageUserSchema, passwordHash, systemSchema } from "./image.ts";
import { sizeBytes } from "./units.ts";

/** A file or folder beside the configuration file, by its path from there. */
const copiedFileSchema = z.strictObject({
  from: z.string().min(1, "is not a path").describe("file or folder to copy, from the folder of this file"),
  mode: imageFileSchema.shape.mode
    .removeDefault()
    .optional()
    .describe("default: 0755 if it may be executed, else 0644"),
});

/** Names of accounts, as useradd(8) takes them. */
const userName = z
  .string()
  .regex(/^[a-z_][a-z0-9_-]{0,31}$/, "is not the name of a user")
  .refine((name) => name !== "root", "is there already: rootPasswordHash says how it may log in");

const SMALLEST_BYTES = 2 ** 20;
const size = sizeBytes.refine((bytes) => bytes >= SMALLEST_BYTES, "is less than 1M");

/** `image.yaml`, and the defaults of the user's own: what an image is made of. */
export const imageConfigurationSchema = z.strictObject({
  $schema: z.string().optional(),
  recipe: imageSchema.shape.recipe,
  distribution: systemSchema.shape.distribution.optional().describe("default: debian"),
  release: z
    .string()
    .regex(/^[a-z]+$/, "is not the code name of a release, such as bookworm")
    .optional()
    .describe("default: the machine's own"),
  mirror: z
    .string()
    .regex(/^(https?|file|copy):\/\/?[^\s@]+$/, "is not the URI of an archive, without a password in it")
    .optional()
    .describe("of the distribution's archive; default: the machine's own way to it"),
  size: size.optional().describe("of its disk; default: what its content needs"),
  memory: size.optional().describe("of domains that say nothing of theirs"),
  swap: size.optional().describe("of a swap partition on its disk; default: none"),
  base: imageSchema.shape.base.removeDefault().optional(),
  packages: imageSchema.shape.packages,
  files: z
    .record(z.string().regex(/^\/[^\0]*$/, "is not an absolute path"), z.union([imageFileSchema, copiedFileSchema]))
    .default({}),
  users: z.record(userName, imageUserSchema).default({}),
  rootPasswordHash: passwordHash.optional().describe("default: root cannot log in by a password"),
  commands: imageSchema.shape.commands,
  services: imageSchema.shape.services,
  hooks: z
    .string()
    .optional()
    .describe("folder of scripts, run in the order of their names, each given the new root's path"),
});
export type ImageConfiguration = z.output<typeof imageConfigurationSchema>;
