// The command line's `up`, `apply` and `down` on a host that kills this very process, with SIGKILL, at a chosen moment.
//   node crash-program.mjs up|apply|down FILE COUNTED MOMENT N
// COUNTED is what is counted: `journal` (entries of a lab's journal) or `effect` (everything that is done to the machine).
// MOMENT is before, within or after the Nth of them; `within` writes the first half of a journal entry. With N = 0 it runs to
// its end, and writes how many there were. CONFIRM_WITHIN_MS is up's --confirm-within.
import { appendFileSync } from "node:fs";
import { down } from "../src/app/down.ts";
import { apply, up } from "../src/app/up.ts";
import { compose } from "../src/compose.ts";
import type { Host } from "../src/host/host.ts";
import { createRealHost } from "../src/host/real.ts";

type Counted = "journal" | "effect";
type Moment = "before" | "within" | "after";

const [verb = "", file = "", counted = "", moment = "", number = ""] = process.argv.slice(2);
const fatal = { counted: counted as Counted, moment: moment as Moment, number: Number(number) };
const counts: Record<Counted, number> = { journal: 0, effect: 0 };

/** Methods that change the machine. */
const EFFECTS: { [Part in keyof Host]?: string[] } = {
  files: ["writeText", "replaceText", "appendSynced", "makeDirectory", "remove", "rename"],
  namespaces: ["create", "remove", "netlink"],
  mounts: ["mount", "unmount"],
  cgroups: ["ensure", "destroy", "write"],
  processes: ["run", "must", "start"],
};

function die(): void {
  process.kill(process.pid, "SIGKILL");
  // The signal is handled on the way back to user space; nothing may be done until then.
  for (;;);
}

type Method = (...args: unknown[]) => unknown;

function dying(method: Method, isJournal: (args: unknown[]) => boolean): Method {
  return (...args) => {
    const kinds: Counted[] = isJournal(args) ? ["journal", "effect"] : ["effect"];
    for (const kind of kinds) counts[kind] += 1;
    const isFatal = kinds.includes(fatal.counted) && counts[fatal.counted] === fatal.number;
    if (!isFatal) return method(...args);
    if (fatal.moment === "before") die();
    if (fatal.moment === "within") {
      const [path, text] = args as [string, string];
      appendFileSync(path, text.slice(0, text.length / 2));
      die();
    }
    const result = method(...args);
    return result instanceof Promise ? result.finally(die) : die();
  };
}

/** The real host, but for the moment of its death. */
function mortalHost(): Host {
  const host = createRealHost();
  const mortal: Record<string, unknown> = { ...host };
  for (const [part, names] of Object.entries(EFFECTS)) {
    const methods = { ...(host[part as keyof Host] as unknown as Record<string, Method>) };
    for (const name of names) {
      const method = methods[name];
      if (method === undefined) throw new Error(`the host has no ${part}.${name}`);
      methods[name] = dying(method, ([path]) => name === "appendSynced" && String(path).endsWith("/journal"));
    }
    mortal[part] = methods;
  }
  return mortal as unknown as Host;
}

const app = compose({ host: mortalHost(), version: "0", root: process.cwd() });

const confirmWithinMs = Number(process.env["CONFIRM_WITHIN_MS"] ?? 0);
if (verb === "up") await up(app, file, confirmWithinMs === 0 ? {} : { confirmWithinMs });
else if (verb === "apply") await apply(app, file, {});
else await down(app, file);
process.stdout.write(JSON.stringify(counts));
