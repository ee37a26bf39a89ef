import type { Host } from "../host/host.ts";
import { ROOT_LABEL, SWAP_LABEL } from "./compose-image.ts";
import { tooSmall } from "./disk-size.ts";
import { mke2fsCommand } from "./ext4.ts";
import { digest } from "./image-key.ts";
import type { ExportRequest, Loader } from "./export-image.ts";

const MIB = 2 ** 20;
const SECTOR_BYTES = 512;

/** Where GRUB is on a disk with a GPT: a partition of its own, and of this type (GRUB's manual, BIOS installation). */
const LOADER_BYTES = MIB;
const BIOS_BOOT = "21686148-6449-6E6F-744E-656564454649";

/**
 * A disk: the file system alone, or a partition table (GPT) with a boot loader's partition if it boots by itself, the root, and
 * swap if there is any. Identifiers are derived from the image's key, so they are the same in each export.
 */
export async function exportDisk(host: Host, request: ExportRequest, file: string): Promise<void> {
  const { fileSystemBytes, swapBytes, key, rootfs, signal, loader, within } = request;
  const run = signal === undefined ? {} : { signal };
  const isBare = swapBytes === null && loader === undefined;
  // A MiB before the first partition and one after the last are the tables'.
  const offsetBytes = isBare ? 0 : MIB + (loader === undefined ? 0 : LOADER_BYTES);
  await host.files.remove(file);
  const totalBytes = offsetBytes + fileSystemBytes + (swapBytes ?? 0) + (isBare ? 0 : MIB);
  await host.processes.must({ argv: ["truncate", `--size=${totalBytes}`, file] });
  if (!isBare) {
    const stdin = partitionScript(key, { hasLoader: loader !== undefined, rootBytes: fileSystemBytes, swapBytes });
    await host.processes.must({ argv: ["sfdisk", "--quiet", file], stdin, ...run });
  }
  if (swapBytes !== null) await writeSwap(host, key, file, offsetBytes + fileSystemBytes, swapBytes);
  if (loader !== undefined) await writeLoader(host, loader, file, MIB / SECTOR_BYTES);
  const filling = mke2fsCommand({
    file,
    bytes: fileSystemBytes,
    offsetBytes,
    rootfs,
    label: ROOT_LABEL,
    uuid: uuidOf(key, "root"),
  });
  const made = await host.processes.run({
    argv: within === undefined ? filling : within(filling),
    env: { LC_ALL: "C.UTF-8" },
    ...run,
  });
  if (made.code === 0) return;
  if (/while populating file system|Could not allocate/.test(made.stderr) && !/No space left/.test(made.stderr)) {
    throw tooSmall(request.name, fileSystemBytes, request.ampleBytes);
  }
  throw request.failed("mke2fs", made);
}

/** For sfdisk(8). */
export function partitionScript(
  key: string,
  { hasLoader, rootBytes, swapBytes }: { hasLoader: boolean; rootBytes: number; swapBytes: number | null },
): string {
  const partitions = [
    ...(hasLoader ? [{ bytes: LOADER_BYTES, type: BIOS_BOOT, of: "loader partition", name: "loader" }] : []),
    { bytes: rootBytes, type: "L", of: "root partition", name: ROOT_LABEL },
    ...(swapBytes === null ? [] : [{ bytes: swapBytes, type: "S", of: "swap partition", name: SWAP_LABEL }]),
  ];
  let start = MIB / SECTOR_BYTES;
  const lines = partitions.map(({ bytes, type, of, name }) => {
    const first = start;
    start += bytes / SECTOR_BYTES;
    return `start=${first}, size=${bytes / SECTOR_BYTES}, type=${type}, uuid=${uuidOf(key, of)}, name=${name}`;
  });
  return ["label: gpt", `label-id: ${uuidOf(key, "table")}`, ...lines, ""].join("\n");
}

/**
 * What grub-bios-setup(8) does, which wants a device: GRUB's first sector before the partition table, the rest from the sector
 * on, and in both where the next one is (grub-core/boot/i386/pc: boot.S at 0x5c, diskboot.S at 0x1f4).
 */
export async function writeLoader(host: Host, { first, rest }: Loader, file: string, sector: number): Promise<void> {
  const script = `
put() { dd of="$disk" bs=1 seek="$1" conv=notrunc status=none; }
number() { for shift in 0 8 16 24 32 40 48 56; do printf '\\\\%03o' $(($1 >> shift & 255)); done; }
disk=$1 sector=$4
dd if="$2" of="$disk" bs=440 count=1 conv=notrunc status=none
dd if="$3" of="$disk" bs=512 seek="$sector" conv=notrunc status=none
printf "$(number "$sector")" | put 92
printf "$(number $((sector + 1)))" | put $((sector * 512 + 500))`;
  await host.processes.must({ argv: ["sh", "-euc", script, "loader", file, first, rest, `${sector}`] });
}

/** mkswap of Debian 12 knows no offset: made beside, and its one page copied in. */
async function writeSwap(host: Host, key: string, file: string, offsetBytes: number, bytes: number): Promise<void> {
  const script = `
truncate --size="$2" "$1.swap"
mkswap --quiet --label ${SWAP_LABEL} --uuid "$4" "$1.swap"
dd if="$1.swap" of="$1" bs=4096 count=1 seek="$3" conv=notrunc status=none
rm "$1.swap"`;
  await host.processes.must({
    argv: ["sh", "-ec", script, "swap", file, `${bytes}`, `${offsetBytes / 4096}`, uuidOf(key, "swap")],
  });
}

/** A UUID of version 8 (RFC 9562): of our own making. */
export function uuidOf(key: string, what: string): string {
  const hex = digest([key, what]);
  const variant = ((Number.parseInt(hex[16] ?? "0", 16) & 3) | 8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
