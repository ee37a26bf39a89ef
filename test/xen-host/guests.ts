import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createRealHost } from "../../src/host/real.ts";
import { ensureGuestKernel } from "../../src/images/guest-kernel.ts";
import type { Ended } from "../sandbox.ts";
import { makeSmallRootfs } from "../system/small-rootfs.ts";
import { stateFolder, type XenHost } from "./xen-host.ts";

/** Puts the guests' kernel of this machine's store where dom0 sees it. @returns its folder there */
export async function bringKernel(xen: XenHost): Promise<string> {
  const kernel = await ensureGuestKernel(createRealHost(), {
    store: join(stateFolder(), "images"),
    guestDirectory: `${process.cwd()}/guest`,
    onProgress: () => undefined,
  });
  cpSync(dirname(kernel.kernel), join(xen.brought, "kernel"), { recursive: true });
  return "/brought/kernel";
}

/** An image of busybox, as tar(1) packs it. */
export function smallArchive(): Buffer {
  const scratch = mkdtempSync(join(tmpdir(), "cloison-small-"));
  try {
    const rootfs = makeSmallRootfs(join(scratch, "rootfs"));
    const packed = spawnSync("tar", ["-C", rootfs, "-c", "."], { maxBuffer: 2 ** 28 });
    if (packed.status !== 0) throw new Error(`tar: ${String(packed.stderr)}`);
    return packed.stdout;
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

/**
 * Gives dom0 what its domains are made of: the guests' kernel in its store, as its archive cannot be reached, and an image of
 * busybox, named `small`.
 */
export async function bringGuests(
  xen: XenHost,
  cloison: (command: string, timeoutMs?: number) => Promise<Ended>,
  small = smallArchive(),
): Promise<void> {
  const kernel = await bringKernel(xen);
  await xen.must(`set -e
    echo 'deb http://deb.debian.org/debian bookworm main' >/etc/apt/sources.list
    mkdir -p /var/lib/cloison/images/.kernels
    cp -r ${kernel} /var/lib/cloison/images/.kernels/brought`);
  writeFileSync(join(xen.brought, "small.tar"), small);
  const imported = await cloison("image import small /brought/small.tar");
  if (imported.code !== 0) throw new Error(`image import: ${imported.stderr}`);
}
