import type { Domain, Lab } from "./lab.ts";

/** Names of the domains that a lab makes, with `count` spelt out, in the order of the file. */
export function domainNames(lab: Lab): { name: string; key: string; domain: Domain }[] {
  return Object.entries(lab.domains).flatMap(([key, domain]) =>
    domain.count === undefined
      ? [{ name: key, key, domain }]
      : Array.from({ length: domain.count }, (_, i) => ({ name: `${key}${i + 1}`, key, domain })),
  );
}
