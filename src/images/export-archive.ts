import type { Host } from "../host/host.ts";
import type { ExportRequest } from "./export-image.ts";

/** By the ending of the file's name; without a name or time in the compressed file, so that it is the same each time. */
function compressorOf(file: string): string[] {
  if (/\.(tar\.gz|tgz)$/.test(file)) return ["--use-compress-program=gzip -n"];
  if (file.endsWith(".tar.xz")) return ["--use-compress-program=xz -T0"];
  return file.endsWith(".tar.zst") ? ["--use-compress-program=zstd -q -T0"] : [];
}

/** A tar archive, the same for the same image: sorted, with numbers for owners, without times of access and change. */
export async function exportArchive(host: Host, request: ExportRequest, part: string): Promise<void> {
  const done = await host.processes.run({
    argv: [
      ...(["tar", "--create", `--file=${part}`, ...compressorOf(request.file)] as const),
      ...(["--format=posix", "--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime"] as const),
      ...(["--sort=name", "--numeric-owner", "--xattrs", "--xattrs-include=*"] as const),
      ...(["--one-file-system", `--directory=${request.rootfs}`, "."] as const),
    ],
    env: { LC_ALL: "C.UTF-8" },
    ...(request.signal === undefined ? {} : { signal: request.signal }),
  });
  if (done.code !== 0) throw request.failed("tar", done);
}

/** A read-only file system in one file, the same for the same image. */
export async function exportSquashfs(host: Host, request: ExportRequest, part: string): Promise<void> {
  const done = await host.processes.run({
    argv: [
      ...(["mksquashfs", request.rootfs, part, "-noappend", "-no-progress", "-quiet", "-comp", "zstd"] as const),
      ...(["-mkfs-time", "0"] as const),
    ],
    env: { LC_ALL: "C.UTF-8" },
    ...(request.signal === undefined ? {} : { signal: request.signal }),
  });
  if (done.code !== 0) throw request.failed("mksquashfs", done);
}
