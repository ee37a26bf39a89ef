import type { Host } from "../host/host.ts";
import { LabError } from "../model/error.ts";
import type { NetworkState } from "../model/network-state.ts";
import type { NamespaceName } from "../model/plan.ts";
import { formatChange, type Change } from "./change.ts";
import { diffNetwork } from "./diff.ts";
import { newNamespaceState } from "./new-namespace.ts";
import { observeIn } from "./observe.ts";
import { performChanges } from "./perform.ts";
import { NetworkSession } from "./session.ts";
import { normalizeTables } from "./tables.ts";

/** Times that the state is brought nearer: removals, the rest, what the rest took along, and one to spare. */
const ATTEMPTS = 4;

export interface ApplyOptions {
  /** Namespaces that have just been made: they are not read, which is what takes time in a large lab. */
  fresh?: readonly NamespaceName[];
  /**
   * Called once when all bridges stand with their addresses: programs that serve on them may start while their ports are
   * made. Blocks meanwhile, so what is awaited here is only their start.
   */
  onBridges?: () => Promise<void>;
}

/**
 * Brings the network of the namespaces of `wanted`, which exist, to what it says, and changes nothing that is right.
 * @returns what was done; nothing when all was right
 * @throws LabError when the kernel refuses a change, or something else keeps undoing it
 */
export async function applyNetwork(host: Host, wanted: NetworkState, options: ApplyOptions = {}): Promise<Change[]> {
  const target = await normalizeTables(host, wanted);
  const namespaces = Object.keys(target);
  const fresh = new Set(options.fresh);
  const known = namespaces.filter((namespace) => !fresh.has(namespace));
  const session = new NetworkSession(host);
  const done: Change[] = [];
  let { onBridges } = options;
  const bridgesStand = async (): Promise<void> => {
    const call = onBridges;
    onBridges = undefined;
    await call?.();
  };
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const observed = await observeIn(session, attempt === 0 ? known : namespaces, { like: target });
      if (attempt === 0) for (const namespace of fresh) observed[namespace] = newNamespaceState();
      const changes = diffNetwork(target, observed);
      if (changes.length === 0) {
        await bridgesStand();
        return done;
      }
      // With an address the kernel removes others of its subnet and routes, so look again before building on them.
      const removals = changes.filter(({ kind }) => kind === "remove");
      const now = removals.length > 0 ? removals : changes;
      await performChanges(session, now, removals.length > 0 ? undefined : bridgesStand);
      done.push(...now);
      // Where nothing was before, nothing can have been taken along.
      if (known.length === 0) return done;
    }
    const left = diffNetwork(target, await observeIn(session, namespaces, { like: target }));
    if (left[0] === undefined) return done;
    throw new LabError(`the network does not become what it should: ${formatChange(left[0])}`, {
      hint: "something else changes it meanwhile; `ip monitor` in that namespace shows what",
    });
  } finally {
    session.close();
  }
}
