import type { Host } from "../../host/host.ts";
import { LabError } from "../../model/error.ts";
import type { Support, Unavailable } from "../platform.ts";
import { smallestKernel } from "./smallest-kernel.ts";

/** It ends as soon as it runs. */
const DEADLINE_MS = 30_000;

const REMEDY = "apt-get install xen-system-amd64, and boot the machine with it; cloison runs in dom0";

/** Xen's tools alone are of no use. */
export async function findNoXen(host: Host): Promise<Unavailable | null> {
  const hypervisor = (await host.files.readTextIfExists("/sys/hypervisor/type"))?.trim();
  if (hypervisor === "xen") return null;
  return { available: false, reason: "this machine does not run on Xen", remedy: REMEDY };
}

/** Has the smallest domain run, and end itself: a toolstack that answers proves little. */
export async function tryXen(host: Host): Promise<Support> {
  const unfit = await findNoXen(host);
  if (unfit !== null) return unfit;
  const name = `cloison._check-xen-${host.clock.nowMs().toString(36)}`;
  const folder = `/run/cloison/${name.slice("cloison.".length)}`;
  try {
    const version = /^xen_version\s*:\s*(\S+)/m.exec(await host.processes.must({ argv: ["xl", "info"] }))?.[1] ?? "?";
    const settings = [`name = "${name}"`, 'type = "pv"', `kernel = "${folder}/kernel"`, "memory = 16"];
    await host.files.writeText(`${folder}/xl.cfg`, `${settings.join("\n")}\n`);
    const octal = [...smallestKernel()].map((byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("");
    await host.processes.must({ argv: ["sh", "-euc", 'printf "$1" >"$2"', "kernel", octal, `${folder}/kernel`] });
    // In the foreground: until its end.
    const argv: [string, ...string[]] = ["xl", "create", "-q", "-F", `${folder}/xl.cfg`];
    const { code, stderr, timedOut } = await host.processes.run({ argv, timeoutMs: DEADLINE_MS });
    if (code === 0) return { available: true, detail: `a paravirtual domain ran on Xen ${version}` };
    if (timedOut) await host.processes.run({ argv: ["xl", "destroy", name] });
    const complaint = stderr.trim().split("\n").at(-1) ?? "";
    const reason = timedOut ? `the smallest domain did nothing for ${DEADLINE_MS / 1000} s` : complaint;
    return { available: false, reason, remedy: "`xl dmesg` says more" };
  } catch (error) {
    if (!(error instanceof LabError)) throw error;
    return { available: false, reason: error.message, remedy: REMEDY };
  } finally {
    await host.files.remove(folder);
  }
}
