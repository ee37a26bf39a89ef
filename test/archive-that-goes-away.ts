import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Debian's archive behind a server of this machine, which is gone after some packages. */
export interface FailingArchive {
  uri: string;
  packagesSent(): number;
  close(): void;
}

/** Fetches with apt's own program, so that it works wherever apt does. */
export async function archiveThatGoesAway(packages: number): Promise<FailingArchive> {
  const scratch = mkdtempSync(join(tmpdir(), "cloison-archive-"));
  const indexes = execFileSync("apt-get", ["indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"], {
    encoding: "utf8",
  });
  const real = indexes
    .split("\n")
    .find((uri) => /\/debian\/?$/.test(uri))
    ?.replace(/\/$/, "");
  if (real === undefined) throw new Error(`apt's sources name no archive that ends in /debian:\n${indexes}`);
  let asked = 0;
  let sent = 0;
  const server = createServer((request, response) => {
    const path = (request.url ?? "").replace(/^\/debian/, "");
    if (path.endsWith(".deb") && sent >= packages) {
      server.close();
      server.closeAllConnections();
      return;
    }
    if (path.endsWith(".deb")) sent += 1;
    asked += 1;
    const file = join(scratch, `${asked}`);
    const argv = ["-o", "APT::Sandbox::User=root", "download-file", `${real}${path}`, file];
    execFile("/usr/lib/apt/apt-helper", argv, (error) => {
      if (error !== null) response.writeHead(404).end();
      else response.end(readFileSync(file));
      rmSync(file, { force: true });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    uri: `http://127.0.0.1:${port}/debian`,
    packagesSent: () => sent,
    close() {
      server.close();
      server.closeAllConnections();
      rmSync(scratch, { recursive: true, force: true });
    },
  };
}
