import type { Platform } from "../platform.ts";
import { createOciPlatform } from "../oci/oci-platform.ts";

/** Each domain is a container of its own: one kernel, separate contexts with quotas. */
export function createContainerPlatform(): Platform {
  return createOciPlatform({ name: "container", merges: false });
}
