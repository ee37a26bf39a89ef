import fc from "fast-check";

/** A lab file as an object, and what is done to the lab once it is up. */
export interface RandomLab {
  networks: RandomNetwork[];
  domains: RandomDomain[];
  faults: RandomFault[];
}

interface RandomNetwork {
  mode: "bridge" | "routed" | "nat" | "isolated" | "vlan";
  host: boolean;
  isolatedPorts: boolean;
  antispoof: boolean;
  /** Routed: on the LAN of the first bridge network, if there is one. */
  onLan: boolean;
  ipv6: boolean;
  forwards: boolean;
}

interface RandomDomain {
  /** Numbers that choose networks, modulo their count. */
  nics: number[];
  listens: boolean;
  routes: boolean;
}

/** Which fault, and numbers that choose where, modulo how many places there are. */
export interface RandomFault {
  kind: FaultKind;
  place: number;
  other: number;
}

/** What somebody may do to a running lab; see faults.ts. */
export const FAULT_KINDS = [
  "arp-ignored",
  "arp-filtered",
  "arp-announced",
  "proxies-all",
  "other-source",
  "device-drop",
  "foreign-nat",
  "foreign-redirect",
  "no-hairpin",
  "narrow-router",
  "link-down",
  "route-deleted",
  "small-mtu",
  "strict-reverse-path",
  "no-forwarding",
  "poisoned-neighbour",
  "foreign-drop",
  "foreign-policy",
  "isolated-ports",
  "wrong-bridge",
  "duplicate-address",
  "ignores-echo",
  "no-proxy",
  "spoofed-mac",
  "short-life",
  "own-source",
  "bridge-netfilter",
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

const MODES = ["bridge", "routed", "nat", "isolated", "vlan"] as const;

/** Labs of up to 12 domains and 4 networks. @param vlans whether this machine can have VLANs */
export function randomLab(vlans: boolean): fc.Arbitrary<RandomLab> {
  const network = fc.record({
    mode: fc.constantFrom(...MODES.filter((mode) => vlans || mode !== "vlan")),
    host: fc.boolean(),
    isolatedPorts: fc.boolean(),
    antispoof: fc.boolean(),
    onLan: fc.boolean(),
    ipv6: fc.boolean(),
    forwards: fc.boolean(),
  });
  const domain = fc.record({
    nics: fc.array(fc.nat(11), { minLength: 1, maxLength: 3 }),
    listens: fc.boolean(),
    routes: fc.boolean(),
  });
  const fault = fc.record({ kind: fc.constantFrom(...FAULT_KINDS), place: fc.nat(999), other: fc.nat(999) });
  return fc.record({
    networks: fc.array(network, { minLength: 1, maxLength: 4 }),
    domains: fc.array(domain, { minLength: 1, maxLength: 12 }),
    faults: fc.array(fault, { maxLength: 4 }),
  });
}

/** The lab file, as an object that JSON (and so YAML) writes. Always a good one. */
export function labFile(name: string, { networks, domains }: RandomLab): Record<string, unknown> {
  const needsHost = networks.every(({ mode, host }) => mode !== "routed" && !(mode === "bridge" && host));
  const bridge = networks.findIndex(({ mode, host, ipv6 }) => mode === "bridge" && host && !ipv6);
  const nicsOf = ({ nics }: RandomDomain) => [...new Set(nics.map((number) => number % networks.length))];
  const listening = (network: number) =>
    domains.flatMap((domain, i) => (domain.listens && nicsOf(domain).includes(network) ? [`d${i}`] : []));
  return {
    name,
    platform: "namespace",
    images: { plain: { recipe: "plain" } },
    networks: Object.fromEntries(
      networks.map((network, i) => [
        `n${i}`,
        networkFile({ ...network, host: network.host || needsHost }, i, bridge, listening(i)),
      ]),
    ),
    domains: Object.fromEntries(
      domains.map((domain, i) => {
        const nics = nicsOf(domain);
        return [
          `d${i}`,
          {
            image: "plain",
            nics: nics.map((n) => ({ network: `n${n}` })),
            ...(domain.listens ? { listen: ["80/tcp", "53/udp"] } : {}),
            // A router's frames have others' addresses in them.
            ...(domain.routes && nics.length > 1 ? { router: true } : {}),
          },
        ];
      }),
    ),
  };
}

function networkFile(network: RandomNetwork, index: number, bridge: number, listening: string[]): object {
  const { mode, host, isolatedPorts, antispoof, onLan, ipv6, forwards } = network;
  const subnet = `10.${100 + index}.0.0/24`;
  const subnet6 = ipv6 ? { subnet6: `fd00:${100 + index}::/64` } : {};
  const ports = isolatedPorts ? "isolated" : "shared";
  switch (mode) {
    case "bridge":
      return { mode, subnet, ...subnet6, host, antispoof };
    case "routed":
      return onLan && bridge >= 0 ? { mode, lan: `n${bridge}`, antispoof } : { mode, subnet, ...subnet6, antispoof };
    case "nat":
      return {
        mode,
        subnet,
        ports,
        antispoof,
        forward: forwards ? listening.map((domain, i) => ({ port: 2000 + 100 * index + i, to: `${domain}:80` })) : [],
      };
    case "isolated":
      return { mode, subnet, ports, host, antispoof };
    case "vlan":
      return { mode, id: 2 + index, subnet, ...subnet6, antispoof };
  }
}
