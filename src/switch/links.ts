import type { Host } from "../host/host.ts";
import { NetworkSysfs } from "../host/sysfs.ts";
import type { NamespaceName } from "../model/plan.ts";

/** linux/if.h; Open vSwitch sets it on every link that it opens. */
const IFF_PROMISC = 0x100;

export interface PortLink {
  index: number;
  /** Somebody takes all of its frames. A link that was deleted and made anew has its name, and may have its index. */
  taken: boolean;
}

/** Links of a namespace by name; those that are not there are missing. */
export function readPortLinks(host: Host, namespace: NamespaceName, names: readonly string[]): Map<string, PortLink> {
  return host.namespaces.within(namespace, () => {
    const sysfs = new NetworkSysfs();
    try {
      return new Map(
        names.flatMap((name) => {
          const index = sysfs.read(name, "ifindex");
          const flags = sysfs.read(name, "flags");
          if (index === null || flags === null) return [];
          return [[name, { index: Number(index), taken: (Number(flags) & IFF_PROMISC) !== 0 }] as const];
        }),
      );
    } finally {
      sysfs.close();
    }
  });
}
