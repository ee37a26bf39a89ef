import type { Host } from "../host/host.ts";
import type { NamespaceName } from "../model/plan.ts";

/** Of the machine's room for neighbours so much is used at once: other namespaces, not the lab's, need some too. */
const SHARE = 0.6;
const LEAST = 16;
/** The kernel's default of gc_thresh3. */
const USUAL_LIMIT = 1024;

/** Keeps the neighbour tables of a lab as they were: what questions teach the kernel is taken out again. */
export class LearnedNeighbours {
  readonly #host: Host;
  readonly #namespaces: readonly NamespaceName[];
  readonly #before = new Map<NamespaceName, Set<string>>();

  constructor(host: Host, namespaces: readonly NamespaceName[]) {
    this.#host = host;
    this.#namespaces = [...new Set(namespaces)];
    for (const namespace of this.#namespaces) {
      const entries = this.#entries(namespace);
      this.#before.set(namespace, new Set(entries.map(({ linkIndex, address }) => `${linkIndex} ${address}`)));
    }
  }

  /** How many entries the questions of one batch may make: the limit counts all namespaces of the machine together. */
  async room(): Promise<number> {
    const limits = await Promise.all(
      ["ipv4", "ipv6"].map((family) =>
        this.#host.files.readTextIfExists(`/proc/sys/net/${family}/neigh/default/gc_thresh3`),
      ),
    );
    const limit = Math.min(...limits.map((text) => (text === null ? USUAL_LIMIT : Number(text))));
    const used = [...this.#before.values()].reduce((sum, { size }) => sum + size, 0);
    return Math.max(LEAST, Math.floor((limit - used) * SHARE));
  }

  /** Takes out what was learned since. */
  forget(): void {
    for (const namespace of this.#namespaces) {
      const before = this.#before.get(namespace);
      const learned = this.#entries(namespace).filter(
        ({ permanent, linkIndex, address }) => !permanent && before?.has(`${linkIndex} ${address}`) !== true,
      );
      if (learned.length === 0) continue;
      const netlink = this.#host.namespaces.netlink(namespace);
      try {
        netlink.perform(
          learned.map(({ linkIndex, address }) => ({
            do: "delete-neighbour",
            link: { index: linkIndex, name: `if${linkIndex}` },
            address,
            mac: null,
            proxy: false,
          })),
        );
      } finally {
        netlink.close();
      }
    }
  }

  #entries(namespace: NamespaceName): { linkIndex: number; address: string; permanent: boolean }[] {
    const netlink = this.#host.namespaces.netlink(namespace);
    try {
      return netlink.neighbours();
    } finally {
      netlink.close();
    }
  }
}
