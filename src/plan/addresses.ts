import { LabError, ExitCode } from "../model/error.ts";
import { isIpv6, range, range6, toAddress, toAddress6, toNumber, toNumber6 } from "../model/ip-range.ts";

/** Hands out the addresses of one subnet: fixed ones first, then from below for domains, from above for machines of the company. */
export interface AddressPool {
  prefix: number;
  /** The subnet's first address, or the one that the real LAN's router has. */
  gateway: string;
  prefix6: number | null;
  gateway6: string | null;
  /** For the domain with this id, at best the subnet's address 10 + id. */
  forDomain(id: number): string;
  forMachine(): string;
  /** The IPv6 address of whoever has this IPv4 one: at best at the same place of its subnet; null: there is no IPv6. */
  sixth(address: string): string | null;
}

/**
 * @param fixed addresses, of both families, that the lab file gives away; they are kept free
 * @param gateway default: the subnet's first
 */
export function addressPool(
  { subnet, subnet6 }: { subnet: string; subnet6: string | null },
  fixed: string[],
  gateway: string | null,
): AddressPool {
  const { first, last, prefix } = range(subnet);
  const router = gateway ?? toAddress(first + 1);
  const ipv4 = fixed.filter((address) => !isIpv6(address));
  const taken = new Set([first, first + 1, last, toNumber(router), ...ipv4.map(toNumber)]);
  const take = (candidates: Iterable<number>): string => {
    for (const value of candidates) {
      if (taken.has(value)) continue;
      taken.add(value);
      return toAddress(value);
    }
    throw full(subnet);
  };
  return {
    prefix,
    gateway: router,
    forDomain: (id) => take(upwards([first + 10 + id, last - 4], [first + 2, last - 1])),
    forMachine: () => take(downwards(last - 1, first + 2)),
    ...(subnet6 === null
      ? { prefix6: null, gateway6: null, sixth: () => null }
      : ipv6Side(subnet6, fixed.filter(isIpv6), first)),
  };
}

function ipv6Side(subnet6: string, fixed: string[], firstIpv4: number) {
  const { first, last, prefix } = range6(subnet6);
  const taken = new Set([first, first + 1n, ...fixed.map(toNumber6)]);
  return {
    prefix6: prefix,
    gateway6: toAddress6(first + 1n),
    sixth(address: string) {
      const same = first + BigInt(toNumber(address) - firstIpv4);
      for (const start of [same, first + 2n]) {
        for (let value = start; value <= last; value++) {
          if (taken.has(value)) continue;
          taken.add(value);
          return toAddress6(value);
        }
      }
      throw full(subnet6);
    },
  };
}

function full(subnet: string): LabError {
  return new LabError(`${subnet} has no address left`, {
    hint: "give the network a larger subnet",
    exit: ExitCode.usage,
  });
}

/** Through each range, ends included. Lazily: a subnet may have 65,000 addresses, and each domain asks. */
function* upwards(...ranges: [number, number][]): Generator<number> {
  for (const [from, to] of ranges) for (let value = from; value <= to; value++) yield value;
}

function* downwards(from: number, to: number): Generator<number> {
  for (let value = from; value >= to; value--) yield value;
}
