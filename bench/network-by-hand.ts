import type { Host } from "../src/host/host.ts";
import type { NamespaceName } from "../src/model/plan.ts";

/** Where TCP runs: from one namespace to an address at which another listens. */
export interface TcpPath {
  client: NamespaceName;
  server: NamespaceName;
  address: string;
}

export type TcpMode = "bridge" | "routed" | "nat";

/** Lines of `ip -batch` in each namespace, and what `nft` loads in the host's. */
interface Wiring {
  host: string[];
  client: string[];
  server: string[];
  nft: string;
  address: string;
}

const bridge = (name: string, address: string | null): string[] => [
  `link add ${name} type bridge`,
  `link set ${name} up`,
  ...(address === null ? [] : [`address add ${address} dev ${name}`]),
];
const port = (vif: string, name: string): string => `link set ${vif} master ${name}`;
const guest = (address: string, gateway: string | null): string[] => [
  `address add ${address} dev eth0`,
  ...(gateway === null ? [] : [`route add default via ${gateway} dev eth0 onlink`]),
];

const mac = (n: number): string => `02:00:00:00:00:0${n}`;

/** Against spoofing, as one would write it for two vifs whose guests have these addresses. */
function guard(family: "bridge" | "inet", priority: string, addresses: string[]): string {
  const rules = addresses.flatMap((address, i) => {
    const from = `iifname "vif${i + 1}"`;
    return [
      `${from} ether saddr != ${mac(i + 1)} drop`,
      ...(family === "bridge" ? [`${from} arp saddr ip != ${address} drop`] : []),
      `${from} ip saddr != ${address} drop`,
    ];
  });
  return `table ${family} guard {
  chain prerouting {
    type filter hook prerouting priority ${priority};
    ${rules.join("\n    ")}
  }
}
`;
}

const WIRINGS: Record<TcpMode, Wiring> = {
  bridge: {
    host: [...bridge("br0", null), port("vif1", "br0"), port("vif2", "br0")],
    client: guest("10.69.0.1/24", null),
    server: guest("10.69.0.2/24", null),
    nft: guard("bridge", "filter", ["10.69.0.1", "10.69.0.2"]),
    address: "10.69.0.2",
  },
  routed: {
    host: [1, 2].flatMap((n) => [`address add 10.69.0.254/32 dev vif${n}`, `route add 10.69.0.${n}/32 dev vif${n}`]),
    client: guest("10.69.0.1/32", "10.69.0.254"),
    server: guest("10.69.0.2/32", "10.69.0.254"),
    nft: guard("inet", "raw", ["10.69.0.1", "10.69.0.2"]),
    address: "10.69.0.2",
  },
  nat: {
    host: [
      ...bridge("br0", "10.69.0.254/24"),
      port("vif1", "br0"),
      ...bridge("br1", "10.69.1.254/24"),
      port("vif2", "br1"),
    ],
    client: guest("10.69.0.1/24", "10.69.0.254"),
    server: guest("10.69.1.2/24", "10.69.1.254"),
    nft: `${guard("bridge", "filter", ["10.69.0.1", "10.69.1.2"])}table ip nat {
  chain prerouting {
    type nat hook prerouting priority dstnat;
    ip daddr 10.69.0.254 tcp dport 5201 dnat to 10.69.1.2:5201
  }
  chain postrouting {
    type nat hook postrouting priority srcnat;
    oifname != "br1" ip saddr 10.69.1.0/24 masquerade
  }
  chain forward {
    type filter hook forward priority filter;
    ct state established,related accept
    oifname "br1" ct status dnat accept
    oifname "br1" drop
  }
}
`,
    address: "10.69.0.254",
  },
};

/** Names of the three namespaces of a wiring by hand. */
export function handNamespaces(mode: TcpMode): Record<"host" | "client" | "server", NamespaceName> {
  const name = (part: string): string => `cloison-bench.${mode}-${part}-${process.pid}`;
  return { host: name("host"), client: name("client"), server: name("server") };
}

/** Two guests and the host between them, as somebody would wire them with `ip` and `nft`. The caller removes the namespaces. */
export async function wireByHand(host: Host, mode: TcpMode): Promise<TcpPath> {
  const names = handNamespaces(mode);
  const { address, nft, ...lines } = WIRINGS[mode];
  await host.namespaces.create(Object.values(names));
  const ip = (namespace: NamespaceName, batch: string[]) =>
    host.processes.must({ argv: ["ip", "-n", namespace, "-batch", "-"], stdin: `${batch.join("\n")}\n` });
  const links = [names.client, names.server].flatMap((namespace, i) => [
    `link add vif${i + 1} type veth peer name eth0 address ${mac(i + 1)} netns ${namespace}`,
    `link set vif${i + 1} up`,
  ]);
  await ip(names.host, ["link set lo up", ...links]);
  for (const part of ["client", "server"] as const) {
    await ip(names[part], ["link set lo up", "link set eth0 up", ...lines[part]]);
  }
  await ip(names.host, lines.host);
  await host.processes.must({ argv: ["sysctl", "-qw", "net.ipv4.ip_forward=1"], namespace: names.host });
  await host.processes.must({ argv: ["nft", "-f", "-"], stdin: nft, namespace: names.host });
  return { client: names.client, server: names.server, address };
}
