import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { XenHost } from "./xen-host.ts";

/** A PV domain of busybox, on a disk of its own. */
export interface SmallDomain {
  name: string;
  /** With its prefix length; of its eth0. */
  address: string;
  /** Lines of its interface in xl's form, besides the MAC: `script=…`. */
  vif: string;
  memoryMiB?: number;
}

/** Creates it, and returns when xl does: its kernel may still be booting. */
export async function createDomain(xen: XenHost, domain: SmallDomain): Promise<void> {
  const { name, address, vif, memoryMiB = 96 } = domain;
  const [octets = ""] = address.split("/");
  // One for each address, so that neighbours' caches stay right.
  const mac = ["00:16:3e:00:00", Number(octets.split(".").at(-1)).toString(16).padStart(2, "0")].join(":");
  const lines = [
    `name = "${name}"`,
    `kernel = "/boot/vmlinux"`,
    `ramdisk = "/boot/initramfs"`,
    `extra = "root=/dev/xvda console=hvc0 mitigations=off quiet address=${address}"`,
    `memory = ${memoryMiB}`,
    `vcpus = 1`,
    `disk = [ "format=raw,vdev=xvda,access=w,target=/srv/${name}.ext4" ]`,
    `vif = [ "mac=${mac},${vif}" ]`,
    `on_crash = "destroy"`,
  ];
  const folder = join(xen.brought, "domains");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}.cfg`), lines.map((line) => `${line}\n`).join(""));
  await xen.must(`set -e; cp /boot/domain.ext4 /srv/${name}.ext4; xl create -q /brought/domains/${name}.cfg`, {
    timeoutMs: 60_000,
  });
}

/** Number that Xen has given the domain; another one after each restore. */
export async function domainId(xen: XenHost, name: string): Promise<number> {
  return Number((await xen.must(`xl domid ${name}`)).trim());
}

/** Answers once a second from a shell in dom0's namespace, or a named one. */
export const pings = (address: string, namespace: string | null = null) =>
  `${namespace === null ? "" : `ip netns exec ${namespace} `}ping -n -c 1 -W 1 ${address}`;
