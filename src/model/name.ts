import * as z from "zod";
import { NAME_PATTERN } from "./name-pattern.ts";

/** See NAME_PATTERN. */
export const nameSchema = z
  .string()
  .regex(NAME_PATTERN, "is not a name: write a lower-case letter, then letters, digits or hyphens, 30 at most");
