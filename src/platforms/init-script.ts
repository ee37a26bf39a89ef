import { LabError } from "../model/error.ts";
import type { DomainPlan, VifPlan } from "../model/plan.ts";

/** An image's own script that makes what no two copies of it may share, as ssh's host keys (images/seal.ts); run to its end. */
const FIRST_BOOT = `if [ -x /usr/lib/cloison/first-boot ]; then /usr/lib/cloison/first-boot || { echo "cloison: first boot failed" >&2; exit 1; }; fi`;

/** Quotes a word for sh. */
export function shellQuote(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

/**
 * What a domain's first process runs; null: no service and no DHCP client, nothing to run.
 * All run side by side. When one ends, whatever its exit, the script says so and exits 1, and the domain ends with it:
 * a domain that lost a service counts as dead, never as a quiet half.
 * @param leaseScript what the DHCP client has set the address; default: the one that its package brings
 * @throws LabError when the domain names a service that its image lacks
 */
export function initScript(domain: DomainPlan, leaseScript?: string): string | null {
  const services = domain.services.map((name) => {
    const service = domain.recipe.services[name];
    if (service === undefined) {
      throw new LabError(`domain ${domain.name}: its image has no service ${name}`, {
        hint: `it has: ${Object.keys(domain.recipe.services).join(", ") || "none"}`,
      });
    }
    return inBackground(`service ${name}`, service.command);
  });
  const leased = domain.vifs.filter(({ configuration }) => configuration === "dhcp");
  const clients = leased.map((vif) => inBackground(`DHCP client ${vif.guest}`, dhcpClient(domain, vif, leaseScript)));
  if (clients.length + services.length === 0) return null;
  const first = services.length === 0 ? [] : [FIRST_BOOT];
  // A trapped signal ends `wait` at once, $$ is the main shell's pid in its children too, and 0 is the process group (POSIX).
  return [`trap 'trap "" TERM; kill 0; exit 1' TERM`, ...first, ...clients, ...services, "wait", "exit 1"].join("\n");
}

function inBackground(what: string, argv: string[]): string {
  return `{ ${argv.map(shellQuote).join(" ")}; echo "cloison: ${what} ended with exit $?" >&2; kill -TERM $$; } &`;
}

/** Asks every second, because the server may come up later than the domain. */
function dhcpClient(
  { hostname }: DomainPlan,
  { guest, defaultRoute }: VifPlan,
  leaseScript: string | undefined,
): string[] {
  const script = leaseScript === undefined ? [] : ["-s", leaseScript];
  // A domain has one default route.
  const options = defaultRoute ? [] : ["-o", "-O", "subnet"];
  return ["udhcpc", "-f", "-i", guest, "-T", "1", "-A", "1", "-x", `hostname:${hostname}`, ...options, ...script];
}
