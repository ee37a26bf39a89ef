import type { NetworkState } from "../model/network-state.ts";
import type { NamespaceName } from "../model/plan.ts";
import type { Sighting } from "./sighting.ts";

/** The interface of a guest with a kernel of its own. Nobody watches there, but what passes its tap passes it. */
export interface GuestWire {
  namespace: NamespaceName;
  link: string;
  mac: string | null;
}

/** Key: namespace and name of the tap. */
export type GuestWires = ReadonlyMap<string, GuestWire>;

export function guestWires(network: NetworkState): GuestWires {
  return new Map(
    Object.entries(network).flatMap(([namespace, { guest, links }]) =>
      guest !== true
        ? []
        : links.flatMap(({ name, mac, peer }) =>
            peer === null ? [] : [[wireKey(peer.namespace, peer.name), { namespace, link: name, mac }] as const],
          ),
    ),
  );
}

export function wireKey(namespace: NamespaceName, link: string): string {
  return `${namespace}/${link}`;
}

/**
 * What a frame that was seen at a tap is at the guest's end of it: what leaves here enters there. A moment later, or earlier
 * if it comes from there, so that the order of time is that of the way.
 * @param destination of the frame; the guest takes its own MAC and those of groups
 */
export function seenByGuest(sighting: Sighting, { namespace, link, mac }: GuestWire, destination: string): Sighting {
  const enters = sighting.direction === "out";
  return {
    ...sighting,
    namespace,
    interface: link,
    direction: enters ? "in" : "out",
    // The lowest bit of the first byte marks a group's address.
    forThisMachine: enters && (destination === mac || Number.parseInt(destination.slice(0, 2), 16) % 2 === 1),
    timeNs: sighting.timeNs + (enters ? 1n : -1n),
  };
}
