import { spawn } from "node:child_process";
import { once } from "node:events";
import { LabError } from "../model/error.ts";
import type { NamespaceName } from "../model/plan.ts";
import { hasCode } from "./syscalls.ts";

/**
 * Has `ip` make these namespaces, none of which there is, while this process makes others: it takes the kernel 0.4 ms each, and
 * two processes do it on two CPUs. Started when this returns; ends with this process, however that ends.
 */
export async function addWithIproute(names: readonly NamespaceName[]): Promise<void> {
  const ip = spawn("setpriv", ["--pdeathsig", "KILL", "--", "ip", "-batch", "-"], {
    stdio: ["pipe", "ignore", "pipe"],
    // Out of the reach of the terminal's Ctrl-C, which is this process' to act on.
    detached: true,
  });
  let complaint = "";
  ip.stderr.setEncoding("utf8").on("data", (text: string) => (complaint = (complaint + text).slice(-2000)));
  ip.stdin.on("error", (error) => {
    // It did not read to the end; its own end says why.
    if (!hasCode(error, "EPIPE", "ECONNRESET")) throw error;
  });
  ip.stdin.end(names.map((name) => `netns add ${name}\n`).join(""));
  const [code] = (await once(ip, "close")) as [number | null];
  if (code !== 0) throw new LabError(`cannot make network namespaces: ip ended with ${code}: ${complaint.trim()}`);
}
