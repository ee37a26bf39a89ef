import * as z from "zod";
import { hostAddressSchema } from "./host-address.ts";
import { imageSchema, type Image } from "./image.ts";
import { nameSchema } from "./name.ts";
import {
  ipv4,
  lanSchema,
  networkSchema,
  nicSchema,
  routerSchema,
  routeSchema,
  serviceAddress,
  trunkSchema,
} from "./network.ts";
import { PLATFORM_NAMES } from "./platform-name.ts";
import { durationMs, sizeBytes } from "./units.ts";

export const platformNameSchema = z.enum(PLATFORM_NAMES);
export type PlatformName = z.output<typeof platformNameSchema>;

export const accelSchema = z.enum(["auto", "kvm", "tcg"]);
export type Accel = z.output<typeof accelSchema>;

/** A list of CPUs as the kernel writes it: `0`, `0-3`, `0,2-3`. */
const cpuList = z.string().regex(/^\d+(-\d+)?(,\d+(-\d+)?)*$/, "is not a list of CPUs: write 0 or 0-3 or 0,2");

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
  image: nameSchema.describe("a name from images, or of an image that `cloison image` has made"),
  count: z.int().min(2).max(1024).optional().describe("makes name1, name2, … instead of one domain"),
  cpus: z.number().positive().optional().describe("CPU quota, in CPUs; may be a fraction"),
  cpuPeriod: durationMs.default(10).describe("period of the quota; long periods make long stalls"),
  shares: z.int().min(2).max(262144).default(1024).describe("CPU weight, as cgroup v1 counts it"),
  cpuset: cpuList.optional().describe("CPUs that the domain may run on; default: all of the platform's"),
  memory: sizeBytes.optional().describe("default: its image's own, else 256M"),
  pids: z.int().min(8).default(512).describe("processes and threads, at most"),
  disk: sizeBytes.optional().describe("size of the writable layer; default: no limit of its own"),
  io: ioSchema.default({}),
  nics: z.array(nicSchema).max(8).optional().describe("default: one, on the first network"),
  services: z.array(nameSchema).optional().describe("services of the image to run; default: all"),
  sites: z.array(siteSchema).default([]),
  listen: z
    .array(serviceAddress)
    .optional()
    .describe("ports on which it answers, as 80/tcp; default: 80/tcp if it has sites or runs apache, else none"),
  routes: z.array(routeSchema).default([]).describe("besides those that its networks give it"),
  router: routerSchema
    .optional()
    .describe("it forwards between its networks: true: everything; allow: only these connections, and their answers"),
});
/** What a domain has that says nothing of its memory, and whose image says nothing either. */
export const DEFAULT_MEMORY_BYTES = 256 * 2 ** 20;

export type Domain = z.output<typeof domainSchema> & { memory: number };

export const labSchema = z.strictObject({
  $schema: z.string().optional(),
  name: nameSchema,
  platform: platformNameSchema.default("container"),
  accel: accelSchema
    .default("auto")
    .describe("of virtual machines: the processor's virtualization, emulation, or the first that works"),
  host: z
    .union([
      hostAddressSchema,
      z.strictObject({
        address: hostAddressSchema.optional(),
        cpus: z.int().min(1).optional().describe("CPUs of the platform; default: all that the station does not need"),
      }),
    ])
    .transform((host) => (typeof host === "string" ? { address: host } : host))
    .default({})
    .describe("the machine that the lab is on, as ssh://user@name:port; default: this one"),
  images: z.record(nameSchema, imageSchema).default({}),
  networks: z.record(nameSchema, networkSchema).refine((n) => Object.keys(n).length > 0, "names no network"),
  lan: lanSchema.optional().describe("the company LAN of a lab that has no bridge or routed network"),
  trunk: trunkSchema.optional().describe("what all VLAN networks share; false: there is none, and no VLAN can be"),
  domains: z.record(nameSchema, domainSchema),
  station: z
    .strictObject({
      network: nameSchema.optional().describe("default: the first in bridge or routed mode"),
      address: ipv4.optional(),
    })
    .default({}),
});
/** A lab file as it is written, with defaults. */
export type LabFile = z.output<typeof labSchema>;

/** A lab whose images are all there, and whose domains have their memory. */
export interface Lab extends Omit<LabFile, "images" | "domains"> {
  images: Record<string, Image>;
  domains: Record<string, Domain>;
}
