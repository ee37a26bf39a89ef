import { LabError } from "../model/error.ts";
import type { DomainPlan, LabPlan, VifPlan } from "../model/plan.ts";
import type { LabContext } from "./context.ts";
import { lanDirectory } from "./paths.ts";

/** A lease takes some 100 ms once the server listens; a client that was first asks again every second. */
const DEADLINE_MS = 20_000;
const POLL_MS = 20;

/**
 * Waits until the DHCP clients in these domains have set the addresses that the plan gives them.
 * @throws LabError naming the interfaces that got none
 */
export async function leasesTaken(
  context: LabContext,
  plan: LabPlan,
  domains: DomainPlan[],
  signal?: AbortSignal,
): Promise<void> {
  const { clock } = context.host;
  const isTaken = async (domain: DomainPlan, vif: VifPlan) =>
    plan.network[domain.namespace]?.guest === true ? isGiven(context, plan, vif) : hasAddress(context, domain, vif);
  const deadline = clock.monotonicMs() + DEADLINE_MS;
  let waiting = domains.flatMap((domain) =>
    domain.vifs.filter(({ configuration }) => configuration === "dhcp").map((vif) => ({ domain, vif })),
  );
  for (;;) {
    const taken = await Promise.all(waiting.map(({ domain, vif }) => isTaken(domain, vif)));
    waiting = waiting.filter((_, i) => taken[i] === false);
    if (waiting.length === 0) return;
    if (clock.monotonicMs() > deadline) {
      const names = waiting.map(({ domain, vif }) => `${domain.name} (${vif.guest})`).join(", ");
      throw new LabError(`the DHCP server's lease has not come to ${names}`, {
        hint: `whether it was asked for stands in ${lanDirectory(context.paths, plan.lab)}/*.log until the lab is removed; \`address: dhcp\` wants udhcpc in the image`,
      });
    }
    await clock.sleep(POLL_MS, signal);
  }
}

/** Inside a guest nothing is seen, but a server notes what it has given. */
async function isGiven({ host, paths }: LabContext, { lab }: LabPlan, { mac }: VifPlan): Promise<boolean> {
  const directory = lanDirectory(paths, lab);
  const files = (await host.files.list(directory)).filter((name) => name.endsWith(".leases"));
  const texts = await Promise.all(files.map((name) => host.files.readTextIfExists(`${directory}/${name}`)));
  return texts.some((text) => text?.includes(` ${mac} `));
}

function hasAddress({ host }: LabContext, { namespace }: DomainPlan, { address }: VifPlan): boolean {
  const socket = host.namespaces.netlink(namespace);
  try {
    return socket.addresses().some((one) => one.address === address);
  } finally {
    socket.close();
  }
}
