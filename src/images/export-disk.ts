import type { Host } from "../host/host.ts";
import { ROOT_LABEL, SWAP_LABEL } from "./compose-image.ts";
import { tooSmall } from "./disk-size.ts";
import { mke2fsCommand } from "./ext4.ts";
import { digest } from "./image-key.ts";
import type { ExportRequest } from "./export-image.ts";

const MIB = 2 ** 20;
const SECTOR_BYTES = 512;

/**
 * A disk: the file system alone, or with swap a partition table (GPT) with the root first and the swap second. Identifiers are
 * derived from the image's key, so they are the same in each export.
 */
export async function exportDisk(host: Host, request: ExportRequest, file: string): Promise<void> {
  const { fileSystemBytes, swapBytes, key, rootfs, signal } = request;
  const run = signal === undefined ? {} : { signal };
  const offsetBytes = swapBytes === null ? 0 : MIB;
  await host.files.remove(file);
  // Beside the partitions, a MiB before them and one after for the tables.
  const totalBytes = offsetBytes + fileSystemBytes + (swapBytes === null ? 0 : swapBytes + MIB);
  await host.processes.must({ argv: ["truncate", `--size=${totalBytes}`, file] });
  if (swapBytes !== null) {
    const stdin = partitionScript(key, fileSystemBytes, swapBytes);
    await host.processes.must({ argv: ["sfdisk", "--quiet", file], stdin, ...run });
    await writeSwap(host, key, file, offsetBytes + fileSystemBytes, swapBytes);
  }
  const made = await host.processes.run({
    argv: mke2fsCommand({
      file,
      bytes: fileSystemBytes,
      offsetBytes,
      rootfs,
      label: ROOT_LABEL,
      uuid: uuidOf(key, "root"),
    }),
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
export function partitionScript(key: string, rootBytes: number, swapBytes: number): string {
  const first = MIB / SECTOR_BYTES;
  const rootSectors = rootBytes / SECTOR_BYTES;
  return [
    "label: gpt",
    `label-id: ${uuidOf(key, "table")}`,
    `start=${first}, size=${rootSectors}, type=L, uuid=${uuidOf(key, "root partition")}, name=${ROOT_LABEL}`,
    `start=${first + rootSectors}, size=${swapBytes / SECTOR_BYTES}, type=S, uuid=${uuidOf(key, "swap partition")}, name=${SWAP_LABEL}`,
    "",
  ].join("\n");
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
