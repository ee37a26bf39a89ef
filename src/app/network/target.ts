import { isIP } from "node:net";
import { ExitCode, LabError } from "../../model/error.ts";
import type { LabPlan } from "../../model/plan.ts";
import type { Endpoint, Question } from "../../model/reachability.ts";
import { findEndpoint } from "./lab-network.ts";

/**
 * The question behind `why SRC DST[:PORT[/PROTO]]`. DST is the name of an endpoint or one of its addresses (IPv6 with a port in
 * brackets); without a port it is asked by ping, `:arp` asks on layer 2.
 * @throws LabError that says what can be asked
 */
export function questionOf(plan: LabPlan, from: string, target: string): Question {
  findEndpoint(plan, from);
  const { host, how } = split(target);
  if (isIP(host) === 0) {
    const to = findEndpoint(plan, host);
    return { from, to: to.name, address: addressOf(to), how };
  }
  const owner = plan.endpoints.find(({ interfaces }) => interfaces.some(({ addresses }) => addresses.includes(host)));
  if (owner === undefined) {
    throw new LabError(`${host} is nobody's address in lab ${plan.lab}`, {
      hint: `cloison net show ${plan.lab} lists them`,
      exit: ExitCode.usage,
    });
  }
  return { from, to: owner.name, address: host, how };
}

function split(target: string): { host: string; how: Question["how"] } {
  const [, bracketed, plain, what] =
    /^(?:\[([^\]]+)\]|([^:]*|[0-9a-f:]*:[0-9a-f:]*))(?::(arp|\d+(?:\/\w+)?))?$/i.exec(target) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || host === "") throw usage(target);
  if (what === undefined) return { host, how: { kind: "icmp" } };
  if (what === "arp") return { host, how: { kind: "arp" } };
  const [port, protocol = "tcp"] = what.split("/");
  const number = Number(port);
  if (number < 1 || number > 65535 || (protocol !== "tcp" && protocol !== "udp")) throw usage(target);
  return { host, how: { kind: protocol, port: number } };
}

function usage(target: string): LabError {
  return new LabError(`${target} is no destination`, {
    hint: "write apache1, apache1:80, apache1:53/udp, apache1:arp or an address in place of the name",
    exit: ExitCode.usage,
  });
}

function addressOf({ name, interfaces }: Endpoint): string {
  const address = interfaces.flatMap(({ addresses }) => addresses)[0];
  if (address === undefined) throw new LabError(`${name} has no address`, { exit: ExitCode.usage });
  return address;
}
