import * as z from "zod";
import { imageSchema } from "./image.ts";
import { nameSchema } from "./name.ts";
import { PLATFORM_NAMES } from "./platform-name.ts";
import { durationMs, sizeBytes } from "./units.ts";

export const platformNameSchema = z.enum(PLATFORM_NAMES);
export type PlatformName = z.output<typeof platformNameSchema>;

const ipv4 = z.ipv4("is not an IPv4 address");
const cidrv4 = z.cidrv4("is not a CIDR block");

/** A list of CPUs as the kernel writes it: `0`, `0-3`, `0,2-3`. */
const cpuList = z.string().regex(/^\d+(-\d+)?(,\d+(-\d+)?)*$/, "is not a list of CPUs: write 0 or 0-3 or 0,2");

export const networkSchema = z.strictObject({
  mode: z.enum(["bridge"]).default("bridge").describe("how guests sit in the company LAN"),
  subnet: cidrv4.describe("the company LAN, as 10.23.0.0/24"),
});
export type Network = z.output<typeof networkSchema>;

export const nicSchema = z.strictObject({
  network: nameSchema,
  address: z
    .union([z.literal("dhcp"), ipv4])
    .optional()
    .describe("a fixed address; dhcp: leased by the company's DHCP server; default: planned, and set without DHCP"),
});
export type Nic = z.output<typeof nicSchema>;

export const siteSchema = z.strictObject({
  name: nameSchema.describe("the site's name, as in the Host header"),
  workers: z.int().min(1).max(2000).default(24).describe("Apache processes for this site, at most"),
});
export type Site = z.output<typeof siteSchema>;

export const ioSchema = z.strictObject({
  readRate: sizeBytes.optional().describe("bytes a second"),
  writeRate: sizeBytes.optional().describe("bytes a second"),
  readIops: z.int().min(1).optional(),
  writeIops: z.int().min(1).optional(),
});

export const domainSchema = z.strictObject({
  image: nameSchema.describe("a name from images"),
  count: z.int().min(2).max(1024).optional().describe("makes name1, name2, … instead of one domain"),
  cpus: z.number().positive().optional().describe("CPU quota, in CPUs; may be a fraction"),
  cpuPeriod: durationMs.default(10).describe("period of the quota; long periods make long stalls"),
  shares: z.int().min(2).max(262144).default(1024).describe("CPU weight, as cgroup v1 counts it"),
  cpuset: cpuList.optional().describe("CPUs that the domain may run on; default: all of the platform's"),
  memory: sizeBytes.default(256 * 2 ** 20),
  pids: z.int().min(8).default(512).describe("processes and threads, at most"),
  disk: sizeBytes.optional().describe("size of the writable layer; default: no limit of its own"),
  io: ioSchema.default({}),
  nics: z.array(nicSchema).max(8).optional().describe("default: one, on the first network"),
  services: z.array(nameSchema).optional().describe("services of the image to run; default: all"),
  sites: z.array(siteSchema).default([]),
});
export type Domain = z.output<typeof domainSchema>;

export const labSchema = z.strictObject({
  $schema: z.string().optional(),
  name: nameSchema,
  platform: platformNameSchema.default("container"),
  host: z
    .strictObject({
      cpus: z.int().min(1).optional().describe("CPUs of the platform; default: all that the station does not need"),
    })
    .default({}),
  images: z.record(nameSchema, imageSchema),
  networks: z.record(nameSchema, networkSchema).refine((n) => Object.keys(n).length > 0, "names no network"),
  domains: z.record(nameSchema, domainSchema),
  station: z
    .strictObject({
      network: nameSchema.optional().describe("default: the first network"),
      address: ipv4.optional(),
    })
    .default({}),
});
export type Lab = z.output<typeof labSchema>;
