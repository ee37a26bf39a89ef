import { createWriteStream } from "node:fs";
import { once } from "node:events";
import { resolve } from "node:path";
import { ExitCode, LabError } from "../../model/error.ts";
import type { LabPlan, NamespaceName } from "../../model/plan.ts";
import { frameLine } from "../../report/frame-line.ts";
import { captureFrames } from "../../verify/capture.ts";
import { pcapngFrame, pcapngHeader } from "../../verify/pcapng.ts";
import type { AppContext } from "../context.ts";
import { requirePackages, requireRoot } from "../packages.ts";
import { planOfRunning } from "./lab-network.ts";

interface CaptureOptions {
  /** `vif1.0`, `xenbr0`, `trunk`; `eth0@web` for an interface inside another part. */
  on: string;
  /** pcap-filter(7); null: everything. */
  filter: string | null;
  /** Also writes the frames there, as pcapng; null: no. */
  file: string | null;
  /** Ends after so many frames; null: goes on. */
  count: number | null;
  signal: AbortSignal;
  onListening(where: string): void;
  onFrame(line: string): void;
}

/** Shows frames as they pass an interface of a lab, and writes them for Wireshark. @returns how many there were */
export async function capture(app: AppContext, nameOrFile: string, options: CaptureOptions): Promise<number> {
  requireRoot(app, "net capture");
  const plan = await planOfRunning(app, nameOrFile);
  const { namespace, link } = findLink(plan, options.on);
  await requirePackages(app, ["tcpdump"]);
  const file = options.file === null ? null : createWriteStream(resolve(app.workingDirectory, options.file));
  const failed = file === null ? new Promise<never>(() => undefined) : failureOf(file);
  const done = new AbortController();
  let frames = 0;
  const take = async () => {
    file?.write(pcapngHeader([link], `cloison ${app.version}`));
    const captured = captureFrames(app.host, namespace, link, {
      ...(options.filter === null ? {} : { filter: options.filter }),
      signal: AbortSignal.any([options.signal, done.signal]),
      onListening: () => options.onListening(`${link} of ${namespace}`),
    });
    for await (const frame of captured) {
      options.onFrame(frameLine(frame.bytes, frame));
      file?.write(pcapngFrame(0, frame));
      if (++frames === options.count) break;
    }
    if (file !== null) {
      file.end();
      await once(file, "finish");
    }
    return frames;
  };
  try {
    return await Promise.race([take(), failed]);
  } finally {
    done.abort();
    file?.destroy();
  }
}

async function failureOf(file: NodeJS.EventEmitter): Promise<never> {
  const [cause] = (await once(file, "error")) as [Error];
  throw new LabError(`the capture cannot be written: ${cause.message}`, { cause });
}

/** The host's end, unless another part is named; `trunk` is the card that carries the VLANs. */
function findLink(plan: LabPlan, on: string): { namespace: NamespaceName; link: string } {
  const [name = "", part] = on.split("@");
  const namespaces = part === undefined ? [plan.hostNamespace, plan.lanNamespace] : [`cloison.${plan.lab}.${part}`];
  for (const namespace of namespaces) {
    const links = plan.network[namespace]?.links ?? [];
    const found = links.find((link) => link.name === name || (name === "trunk" && link.peer?.name === "trunk0"));
    if (found !== undefined) return { namespace, link: found.name };
  }
  const known = plan.network[plan.hostNamespace]?.links.map((link) => link.name).join(", ");
  throw new LabError(`lab ${plan.lab} has no interface ${on}`, {
    hint: `on the host there is ${known}; elsewhere name the part: eth0@${plan.domains[0]?.name ?? "station"}`,
    exit: ExitCode.usage,
  });
}
