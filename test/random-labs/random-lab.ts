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

/** What somebody may do to a running lab (link-faults.ts, ip-faults.ts), and how often one does. */
const FAULT_WEIGHTS = {
  "link-down": 1,
  "small-mtu": 2,
  "isolated-ports": 1,
  "wrong-bridge": 1,
  "spoofed-mac": 1,
  "poisoned-neighbour": 2,
  "duplicate-address": 2,
  "address-removed": 2,
  "own-source": 2,
  "no-proxy": 1,
  "proxies-all": 1,
  "arp-ignored": 2,
  "arp-filtered": 2,
  "strict-reverse-path": 3,
  "other-source": 2,
  "arp-announced": 2,
  "deaf-to-requests": 2,
  "route-deleted": 1,
  "no-forwarding": 1,
  "narrow-router": 2,
  "ignores-echo": 1,
  "short-life": 1,
  "device-drop": 2,
  "foreign-drop": 2,
  "foreign-policy": 1,
  "foreign-nat": 2,
  "foreign-redirect": 2,
  "foreign-forward": 2,
  "no-hairpin": 2,
  "bridge-netfilter": 2,
};
export type FaultKind = keyof typeof FAULT_WEIGHTS;

const MODES = ["bridge", "routed", "nat", "isolated", "vlan"] as const;

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the keys of the table above
const KINDS = Object.keys(FAULT_WEIGHTS) as FaultKind[];
const faultKind = fc.constantFrom(...KINDS.flatMap((kind) => Array.from({ length: FAULT_WEIGHTS[kind] }, () => kind)));

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
  const fault = fc.record({ kind: faultKind, place: fc.nat(999), other: fc.nat(999) });
  return fc.record({
    networks: fc.array(network, { minLength: 1, maxLength: 4 }),
    domains: fc.array(domain, { minLength: 1, maxLength: 12 }),
    faults: fc.array(fault, { minLength: 1, maxLength: 5, size: "max" }),
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
