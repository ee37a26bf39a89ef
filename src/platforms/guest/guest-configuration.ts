import type { NamespaceState } from "../../model/network-state.ts";
import { addCommands } from "../../model/nft-commands.ts";
import type { DomainPlan } from "../../model/plan.ts";
import { shapingCommands } from "../../model/shaping-commands.ts";
import { initScript, shellQuote } from "../init-script.ts";

/** Inside, where the guest's init has put it; an image need not have any. */
export const BUSYBOX = "/run/cloison/bin/busybox";

/**
 * What a guest is told, path → text; guest/main reads it.
 * @param inside the network that it is to set up
 * @throws LabError when the domain names a service that its image lacks
 */
export function guestConfiguration(domain: DomainPlan, inside: NamespaceState): Record<string, string> {
  // Its own DHCP client is not the image's.
  const services = initScript({ ...domain, vifs: [] });
  const files = Object.entries(domain.files).map(([path, text]): [string, string] => [`files${path}`, text]);
  const rules = rulesOf(inside);
  return {
    hostname: `${domain.hostname}\n`,
    pids: `${domain.limits.pids}\n`,
    network: networkScript(domain, inside),
    lease: LEASE_SCRIPT,
    ...(rules.length === 0 ? {} : { modules: `${rules.flatMap(({ modules }) => modules).join(" ")}\n` }),
    ...Object.fromEntries(rules.map(({ program, text }) => [`rules/${program}`, text])),
    ...(services === null ? {} : { services: `${services}\n` }),
    ...Object.fromEntries(files),
  };
}

/** What only programs set up which busybox lacks. */
interface Rules {
  program: string;
  /** What it reads from its standard input. */
  text: string;
  options: string[];
  /** Drivers of the guest's kernel that it needs. */
  modules: string[];
}

/** Firewall rules of a domain that routes, and limits of what it sends; they come before anything passes. */
export function rulesOf({ tables, links }: NamespaceState): Rules[] {
  const nftables = addCommands(Object.values(tables));
  const shaping = links.flatMap((link) => shapingCommands(link.name, link.shaping, undefined));
  return [
    ...(nftables.length === 0
      ? []
      : [
          {
            program: "nft",
            text: JSON.stringify({ nftables }),
            options: ["-j", "-f", "-"],
            modules: ["nf_tables", "nft_ct"],
          },
        ]),
    ...(shaping.length === 0
      ? []
      : [
          {
            program: "tc",
            text: `${shaping.join("\n")}\n`,
            options: ["-batch", "-"],
            modules: ["sch_tbf", "sch_netem"],
          },
        ]),
  ];
}

/** Where a guest finds what it is told. */
const CONFIGURATION = "/run/cloison";

/** A program of this machine's that a guest was given, with its libraries and what loads them: as bringPrograms lays them out. */
function broughtProgram(name: string): string {
  const directory = `${CONFIGURATION}/programs`;
  return `${directory}/loader --library-path ${directory} ${directory}/${name}`;
}

/** Shell that sets up a guest's network from inside, in the order in which the kernel takes it. */
export function networkScript(domain: DomainPlan, inside: NamespaceState): string {
  const ip = (...words: (string | number)[]) => [BUSYBOX, "ip", ...words.map(String)].map(shellQuote).join(" ");
  const family = (address: string) => (address.includes(":") ? ["-6"] : ["-4"]);
  const cards = inside.links.filter(({ kind }) => kind === "nic");
  const leased = new Set(inside.leased);
  const lines = [
    ...rulesOf(inside).map(
      ({ program, options }) => `${broughtProgram(program)} ${options.join(" ")} <${CONFIGURATION}/rules/${program}`,
    ),
    ...Object.entries(inside.sysctls).map(([name, value]) => sysctl(name, value)),
    ip("link", "set", "lo", "up"),
    ...cards.map(({ name, mtu }) => ip("link", "set", name, "mtu", mtu)),
    ...cards.filter(({ up }) => up).map(({ name }) => ip("link", "set", name, "up")),
    ...inside.addresses.map(({ link, address, prefix }) =>
      ip(...family(address), "addr", "add", `${address}/${prefix}`, "dev", link),
    ),
    ...inside.routes.map(({ destination, via, link, onLink, source }) =>
      ip(
        ...(destination.includes(":") ? ["-6"] : ["-4"]),
        "route",
        "add",
        destination === "::/0" ? "default" : destination,
        ...(via === null ? [] : ["via", via]),
        ...(link === null ? [] : ["dev", link]),
        ...(source === undefined ? [] : ["src", source]),
        ...(onLink === true ? ["onlink"] : []),
      ),
    ),
    ...inside.neighbours.map(({ link, address, mac }) =>
      [BUSYBOX, "arp", "-i", link, "-s", address, mac ?? ""].map(shellQuote).join(" "),
    ),
    ...domain.vifs
      .filter(({ guest }) => leased.has(guest))
      .map(({ guest, defaultRoute }) => `${dhcpClient(domain.hostname, guest, defaultRoute)} &`),
  ];
  return `${lines.join("\n")}\n`;
}

/** A kernel without the thing has nothing to be set, and does without it. */
function sysctl(name: string, value: string): string {
  const path = `/proc/sys/${name.replaceAll(/[./]/g, (letter) => (letter === "." ? "/" : "."))}`;
  return `if [ -e ${shellQuote(path)} ]; then echo ${shellQuote(value)} >${shellQuote(path)}; fi`;
}

function dhcpClient(hostname: string, card: string, defaultRoute: boolean): string {
  const options = defaultRoute ? [] : ["-o", "-O", "subnet"];
  const argv = [BUSYBOX, "udhcpc", "-f", "-i", card, "-T", "1", "-A", "1", "-x", `hostname:${hostname}`, ...options];
  return [...argv, "-s", "/run/cloison/lease"].map(shellQuote).join(" ");
}

/** What the DHCP client does with a lease. */
const LEASE_SCRIPT = `#!${BUSYBOX} sh
busybox=${BUSYBOX}
case $1 in
  deconfig) $busybox ip -4 addr flush dev "$interface" ;;
  bound | renew)
    $busybox ip -4 addr replace "$ip/$mask" dev "$interface" || $busybox ip -4 addr add "$ip/$mask" dev "$interface"
    [ -z "\${router:-}" ] || $busybox ip -4 route replace default via "\${router%% *}" dev "$interface"
    [ -z "\${dns:-}" ] || { for server in $dns; do echo "nameserver $server"; done; } >/etc/resolv.conf
    ;;
esac
`;
