import { LabError, ExitCode } from "../model/error.ts";
import { range, toAddress, toNumber } from "../model/lab-rules.ts";

/** Hands out the addresses of one subnet: fixed ones first, then from below for domains, from above for the LAN's machines. */
export interface AddressPool {
  prefix: number;
  gateway: string;
  /** For the domain with this id, at best the subnet's address 10 + id. */
  forDomain(id: number): string;
  forMachine(): string;
}

/** @param fixed addresses that the lab file gives away; they are kept free */
export function addressPool(subnet: string, fixed: string[]): AddressPool {
  const { first, last, prefix } = range(subnet);
  const taken = new Set([first, first + 1, last, ...fixed.map(toNumber)]);
  const take = (candidates: Iterable<number>): string => {
    for (const value of candidates) {
      if (taken.has(value)) continue;
      taken.add(value);
      return toAddress(value);
    }
    throw new LabError(`${subnet} has no address left`, {
      hint: "give the network a larger subnet",
      exit: ExitCode.usage,
    });
  };
  return {
    prefix,
    gateway: toAddress(first + 1),
    forDomain: (id) => take(upwards([first + 10 + id, last - 4], [first + 2, last - 1])),
    forMachine: () => take(downwards(last - 1, first + 2)),
  };
}

/** Through each range, ends included. Lazily: a subnet may have 65,000 addresses, and each domain asks. */
function* upwards(...ranges: [number, number][]): Generator<number> {
  for (const [from, to] of ranges) for (let value = from; value <= to; value++) yield value;
}

function* downwards(from: number, to: number): Generator<number> {
  for (let value = from; value >= to; value--) yield value;
}
