import type { NetlinkRequest } from "../../host/netlink-request.ts";
import type { AppContext } from "../context.ts";
import type { Drift } from "./drift.ts";

/** Has the kernel forget ARP entries that name a wrong MAC; the next packet asks anew. */
export function forgetNeighbours({ host }: AppContext, entries: Drift["poisoned"]): void {
  for (const { namespace, link, address } of entries) {
    const socket = host.namespaces.netlink(namespace);
    try {
      const index = socket.links().find(({ name }) => name === link)?.index;
      if (index === undefined) continue;
      const request: NetlinkRequest = {
        do: "delete-neighbour",
        link: { index, name: link },
        address,
        mac: null,
        proxy: false,
      };
      socket.perform([request]);
    } finally {
      socket.close();
    }
  }
}
