import { BUILT_IN_SERVICES } from "./image.ts";
import type { Domain, Lab } from "./lab.ts";

/** A port on which a domain answers. */
export interface DeclaredService {
  protocol: "tcp" | "udp";
  port: number;
}

/** Names of an image's services; none for an image that the lab lacks. */
export function imageServices(lab: Lab, name: string): string[] {
  const image = lab.images[name];
  if (image === undefined) return [];
  return [...(image.recipe === undefined ? [] : BUILT_IN_SERVICES[image.recipe]), ...Object.keys(image.services)];
}

/** What a domain listens on: what it says, or a web server's port if it has sites or runs one. */
export function declaredServices(lab: Lab, domain: Domain): DeclaredService[] {
  if (domain.listen !== undefined) return domain.listen;
  const isWebServer =
    domain.sites.length > 0 || (domain.services ?? imageServices(lab, domain.image)).includes("apache");
  return isWebServer ? [{ protocol: "tcp", port: 80 }] : [];
}
