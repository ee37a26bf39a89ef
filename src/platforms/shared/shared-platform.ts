import type { Platform } from "../platform.ts";
import { createOciPlatform } from "../oci/oci-platform.ts";

/**
 * No walls: all domains of a lab are merged into one context, which has the sum of their budgets. That context runs as a
 * container, so that it has exactly the same means as the platforms it is compared with.
 */
export function createSharedPlatform(): Platform {
  return createOciPlatform({ name: "shared", merges: true });
}
