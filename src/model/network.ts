import * as z from "zod";
import { nameSchema } from "./name.ts";
import { bitsPerSecond, durationMs } from "./units.ts";

/** Longest interface name in bytes: IFNAMSIZ is 16 with the NUL. */
const INTERFACE_NAME = /^(?!\.{1,2}$)[^\s/:]{1,15}$/;

const isIpv6 = (input: unknown) => typeof input === "string" && input.includes(":");
export const ipv4 = z.ipv4({
  error: ({ input }) => (isIpv6(input) ? "is an IPv6 address, and IPv4 belongs here" : "is not an IPv4 address"),
});
export const ipv6 = z.ipv6({
  error: ({ input }) => (isIpv6(input) ? "is not an IPv6 address" : "is not an IPv6 address, such as fd00:23::11"),
});
const cidrv4 = z.cidrv4({
  error: ({ input }) => (isIpv6(input) ? "is IPv6, and IPv4 belongs here: write subnet6" : "is not a CIDR block"),
});
const cidrv6 = z.cidrv6({
  error: ({ input }) => (isIpv6(input) ? "is not a CIDR block" : "is not an IPv6 CIDR block, such as fd00:23::/64"),
});

const interfaceName = z.string().regex(INTERFACE_NAME, "is not the name of an interface: 15 bytes at most, no blanks");
const mtu = z.int().min(68).max(65535);
const subnet6 = cidrv6.optional().describe("its IPv6 side, as fd00:23::/64; default: no IPv6");
const antispoof = z
  .boolean()
  .default(true)
  .describe("guests may send from their own MAC and addresses only; not for domains with router");
const ports = z
  .enum(["shared", "isolated"])
  .default("shared")
  .describe("isolated: its guests do not see each other, only the gateway");

const protocol = z.enum(["tcp", "udp"]);
const port = z.int().min(1).max(65535);

/** `apache1:80` */
const domainPort = z
  .string()
  .regex(/^[a-z][a-z0-9-]*:\d{1,5}$/, "is not a domain and a port, such as apache1:80")
  .transform((text) => {
    const [domain = "", number] = text.split(":");
    return { domain, port: Number(number) };
  });

/** `80/tcp` */
export const serviceAddress = z
  .string()
  .regex(/^\d{1,5}\/(tcp|udp)$/, "is not a port and a protocol, such as 80/tcp")
  .refine((text) => Number.parseInt(text, 10) >= 1 && Number.parseInt(text, 10) <= 65535, "has no port of 1 to 65535")
  .transform((text): { port: number; protocol: "tcp" | "udp" } => {
    const [number, name] = text.split("/");
    return { port: Number(number), protocol: name === "udp" ? "udp" : "tcp" };
  });

const forwardSchema = z.strictObject({
  port: port.describe("on the host's address in the company LAN"),
  to: domainPort.describe("a domain of this network, and a port on which it listens"),
  protocol: protocol.default("tcp"),
});

const bridgeSchema = z.strictObject({
  mode: z
    .literal("bridge")
    .optional()
    .default("bridge")
    .describe("guests are ordinary machines of the company LAN, at layers 2 and 3"),
  subnet: cidrv4.describe("the company LAN, as 10.23.0.0/24"),
  subnet6,
  host: z.boolean().default(true).describe("the host has an address there, and is reached"),
  mtu: mtu.optional().describe("of the whole LAN; default: 1500"),
  antispoof,
  uplink: interfaceName.optional().describe("a real interface of the machine that joins the LAN"),
  gateway: ipv4.optional().describe("with uplink: the address of the real LAN's router"),
});

const routedSchema = z.strictObject({
  mode: z.literal("routed").describe("a link to the host for each guest; the host routes, and answers ARP for them"),
  subnet: cidrv4.optional().describe("a company LAN of its own, as 10.23.0.0/24; or name one in lan"),
  subnet6,
  lan: nameSchema.optional().describe("a bridge network, in whose LAN the guests have their addresses"),
  mtu: mtu.optional().describe("of the guests' links; default: the LAN's"),
  antispoof,
});

const natSchema = z.strictObject({
  mode: z.literal("nat").describe("a private subnet behind the host, which has DHCP and DNS for it and masquerades"),
  subnet: cidrv4.describe("private, as 10.200.0.0/24"),
  lan: nameSchema.optional().describe("the LAN on which it leaves and its forwards are; default: the first"),
  forward: z.array(forwardSchema).default([]).describe("ports of the host that lead to a domain"),
  ports,
  mtu: mtu.optional().describe("default: the LAN's"),
  antispoof,
});

const isolatedSchema = z.strictObject({
  mode: z.literal("isolated").describe("a private subnet without a way in or out"),
  subnet: cidrv4.describe("private, as 10.201.0.0/24"),
  host: z.boolean().default(false).describe("the host has the subnet's first address"),
  ports,
  mtu: mtu.optional().describe("default: 1500"),
  antispoof,
});

const vlanSchema = z.strictObject({
  mode: z
    .literal("vlan")
    .describe("a VLAN of the trunk: its guests see each other and its outside machine, not the host"),
  id: z.int().min(1).max(4094).describe("VLAN id, 1 to 4094"),
  subnet: cidrv4,
  subnet6,
  backend: z
    .enum(["auto", "kernel", "openvswitch"])
    .default("auto")
    .describe("kernel: 802.1Q sub-interfaces and a bridge each; auto: the first that works on this machine"),
  mtu: mtu.optional().describe("default: the trunk's"),
  antispoof,
});

/** A network of a lab; without a mode it is in bridge mode. */
export const networkSchema = z.discriminatedUnion("mode", [
  bridgeSchema,
  routedSchema,
  natSchema,
  isolatedSchema,
  vlanSchema,
]);
export type Network = z.output<typeof networkSchema>;
export type NetworkMode = Network["mode"];
export type NetworkOf<Mode extends NetworkMode> = Extract<Network, { mode: Mode }>;
export type Forward = z.output<typeof forwardSchema>;
export type VlanBackend = "kernel" | "openvswitch";

export const lanSchema = z.strictObject({
  subnet: cidrv4.describe("default: 10.23.0.0/24, or the next free one"),
  subnet6,
});

export const trunkSchema = z.union([
  z.literal(false),
  z.strictObject({
    mtu: mtu.optional().describe("default: 1500"),
  }),
]);

/** Sent as `10M`; of a link, not of a file. */
const rateSchema = z.strictObject({
  in: bitsPerSecond.optional().describe("bits a second towards the domain"),
  out: bitsPerSecond.optional().describe("bits a second that the domain sends"),
});

export const nicSchema = z.strictObject({
  network: nameSchema,
  address: z
    .union([z.literal("dhcp"), ipv4])
    .optional()
    .describe("a fixed address; dhcp: leased by the network's DHCP server; default: planned, and set without DHCP"),
  address6: ipv6.optional().describe("a fixed IPv6 address; default: planned, where the network has subnet6"),
  mac: z
    .string()
    .regex(/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/, "is not a MAC address, such as 00:16:3e:00:00:01, in lower case")
    .optional()
    .describe("default: planned, in 00:16:3e"),
  rate: rateSchema.default({}),
  delay: durationMs.optional().describe("of what goes to the domain"),
  loss: z.number().min(0).max(100).optional().describe("per cent of what goes to the domain"),
  antispoof: z.boolean().optional().describe("default: the network's"),
});
export type Nic = z.output<typeof nicSchema>;

const cidr = z.union([cidrv4, cidrv6]);
export const routeSchema = z.strictObject({
  to: cidr.describe("where, as 10.30.0.0/24"),
  via: z.union([ipv4, ipv6]).describe("the address of a neighbour"),
});

const allowSchema = z.strictObject({
  from: nameSchema.describe("the network that connections may come from"),
  to: nameSchema.describe("the network that they may go to"),
  port: port.optional().describe("default: any"),
  protocol: protocol.optional().describe("default: tcp with a port, else any"),
});
export const routerSchema = z.union([z.literal(true), z.strictObject({ allow: z.array(allowSchema) })]);
export type Router = z.output<typeof routerSchema>;
