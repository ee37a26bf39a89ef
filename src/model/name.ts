import { z } from "zod";

/**
 * Names of labs, domains, networks and images: they become parts of paths, hostnames, cgroups and namespaces.
 * No dot, because `cloison.<lab>.<part>` names a namespace, and a dot in a part would make two labs look alike.
 */
const NAME = /^[a-z][a-z0-9-]{0,29}$/;
export const nameSchema = z
  .string()
  .regex(NAME, "is not a name: write a lower-case letter, then letters, digits or hyphens, 30 at most");
