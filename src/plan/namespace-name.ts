import type { NamespaceName } from "../model/plan.ts";

/** Name of a namespace of a lab; a dot can stand in no part, so no two labs' names look alike. */
export function namespaceName(lab: string, part: string): NamespaceName {
  return `cloison.${lab}.${part}`;
}
