import type { Endpoint, Question } from "../model/reachability.ts";
import { parseIp } from "./ip-address.ts";

/**
 * All that can be asked of these endpoints: every ordered pair, every address of the other that is of a family that the
 * asker speaks; each by ARP or neighbour discovery, by ping, and at every service.
 */
export function questions(endpoints: readonly Endpoint[]): Question[] {
  const described = endpoints.map((endpoint) => ({ endpoint, addresses: addressesOf(endpoint) }));
  return described.flatMap(({ endpoint: from, addresses: own }) => {
    const families = new Set(own.map(({ family }) => family));
    return described.flatMap(({ endpoint: to, addresses }) => {
      if (to === from) return [];
      return addresses
        .filter(({ family }) => families.has(family))
        .flatMap(({ text: address }) => ways(to).map((how) => ({ from: from.name, to: to.name, address, how })));
    });
  });
}

function addressesOf({ interfaces }: Endpoint) {
  return interfaces.flatMap(({ addresses }) => addresses.map(parseIp)).filter((address) => address !== null);
}

function ways({ services }: Endpoint): Question["how"][] {
  return [{ kind: "arp" }, { kind: "icmp" }, ...services.map(({ protocol, port }) => ({ kind: protocol, port }))];
}
