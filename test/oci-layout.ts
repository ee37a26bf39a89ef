import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

/**
 * Writes an OCI image layout whose layers are what these shell scripts leave in an empty folder, with an index for another
 * architecture beside the machine's.
 */
export function writeOciLayout(layout: string, scratch: string, layers: string[]): void {
  mkdirSync(join(layout, "blobs/sha256"), { recursive: true });
  const put = (content: Buffer, mediaType: string) => {
    const hex = createHash("sha256").update(content).digest("hex");
    writeFileSync(join(layout, "blobs/sha256", hex), content);
    return { mediaType: `application/vnd.oci.image.${mediaType}`, digest: `sha256:${hex}`, size: content.length };
  };
  const putJson = (value: unknown, mediaType: string) => put(Buffer.from(JSON.stringify(value)), mediaType);
  const architecture = { x64: "amd64", arm64: "arm64" }[process.arch as string] ?? process.arch;
  const tars = layers.map((script) => {
    const folder = mkdtempSync(join(scratch, "layer-"));
    execFileSync("sh", ["-ec", script], { cwd: folder });
    const tar = execFileSync("tar", ["-C", folder, "-c", "."], { maxBuffer: 64 * 2 ** 20 });
    rmSync(folder, { recursive: true });
    return put(gzipSync(tar, { level: 1 }), "layer.v1.tar+gzip");
  });
  const config = putJson(
    {
      architecture,
      os: "linux",
      config: { Entrypoint: ["httpd"], Cmd: ["-f"], Env: ["GREETING=it's me"], WorkingDir: "/opt" },
    },
    "config.v1+json",
  );
  const manifest = putJson({ schemaVersion: 2, config, layers: tars }, "manifest.v1+json");
  const foreign = { ...manifest, digest: `sha256:${"0".repeat(64)}`, platform: { architecture: "s390x", os: "linux" } };
  const own = { ...manifest, platform: { architecture, os: "linux" } };
  const index = putJson({ schemaVersion: 2, manifests: [foreign, own] }, "index.v1+json");
  writeFileSync(join(layout, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
  writeFileSync(join(layout, "index.json"), JSON.stringify({ schemaVersion: 2, manifests: [index] }));
}
