import { createHash } from "node:crypto";

/** Organizationally unique identifier of Xen's virtual interfaces; unicast. */
const XEN_OUI = "00:16:3e";

/**
 * MACs that are the same from run to run: the low 24 bits are a hash of who owns the interface, rehashed where two collide.
 * Owners are asked for in the order of the plan, so a collision is settled the same way each time.
 * @param fixed MACs that the lab file gives away
 */
export function macAllocator(lab: string, fixed: readonly string[] = []): (owner: string) => string {
  const taken = new Set<string>(fixed);
  return (owner) => {
    for (let attempt = 0; ; attempt++) {
      const digest = createHash("sha256").update(`${lab}/${owner}/${attempt}`).digest();
      const mac = [XEN_OUI, ...[...digest.subarray(0, 3)].map((byte) => byte.toString(16).padStart(2, "0"))].join(":");
      if (taken.has(mac)) continue;
      taken.add(mac);
      return mac;
    }
  };
}
