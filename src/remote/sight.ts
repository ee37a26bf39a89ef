import type { Finished, Host } from "../host/host.ts";
import { destination, shellLine } from "./connection.ts";

/**
 * What came of asking a host whether it is there. `silent`: nothing answers at its address, not even with a refusal. `unclear`:
 * something does, or this machine could not even ask; it may be there.
 */
export type Sight = { is: "there"; life: string } | { is: "silent" } | { is: "unclear"; detail: string };

/**
 * What is another one after each start: of the kernel, and of a machine that has its kernel from another one the first process.
 * A cable that is put back leaves it as it was.
 */
const LIFE = `printf '%s ' "$(cat /proc/sys/kernel/random/boot_id)"; sed 's/.*) //' /proc/1/stat | cut -d' ' -f20`;
const LIFE_FORM = /^[0-9a-f-]{36} \d+$/;

const CONNECT_S = 5;
/** Logging in, on a machine that is busy. */
const ANSWER_MS = 20_000;

/** Asks a host by ssh, over a connection of its own: one that is kept may hang long after the host is back. */
export async function sightHost(host: Host, address: string, signal?: AbortSignal): Promise<Sight> {
  const { target } = destination(address);
  const options = ["ControlPath=none", "BatchMode=yes", "ClearAllForwardings=yes", `ConnectTimeout=${CONNECT_S}`];
  const finished = await host.processes.run({
    argv: ["ssh", ...options.flatMap((option) => ["-o", option]), "-T", ...target, shellLine(LIFE, [])],
    timeoutMs: ANSWER_MS,
    ...(signal === undefined ? {} : { signal }),
  });
  return sightOf(finished);
}

/** Reads what ssh has answered. */
export function sightOf({ code, stdout, stderr, timedOut }: Finished): Sight {
  const life = stdout.trim();
  if (code === 0 && LIFE_FORM.test(life)) return { is: "there", life };
  const said = stderr.trim().split("\n").at(-1)?.trim() ?? "";
  // Of a kernel that takes connections for programs that hang, it is the banner that is waited for.
  if (code === 255 && /^ssh: connect to host .*(Connection timed out|No route to host)$/.test(said))
    return { is: "silent" };
  return { is: "unclear", detail: said || (timedOut ? "it takes connections, and does not answer" : "no answer") };
}
