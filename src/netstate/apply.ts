import type { Host } from "../host/host.ts";
import { LabError } from "../model/error.ts";
import { withoutGuests, type NetworkState } from "../model/network-state.ts";
import type { NamespaceName } from "../model/plan.ts";
import { applyDifference } from "./apply-difference.ts";
import { formatChange, type Change } from "./change.ts";
import { changedNamespaces } from "./changed-namespaces.ts";
import { diffNetwork } from "./diff.ts";
import { newNamespaceState } from "./new-namespace.ts";
import { observeIn } from "./observe.ts";
import { isFirst, performChanges } from "./perform.ts";
import { NetworkSession } from "./session.ts";
import type { SwitchDriver } from "./switch-driver.ts";
import { checkTableNames } from "./tables.ts";

/** Times that the state is brought nearer: removals, the rest, what the rest took along, and one to spare. */
const ATTEMPTS = 4;

export interface ApplyOptions {
  /** Namespaces that have just been made: they are not read, which is what takes time in a large lab. */
  fresh?: readonly NamespaceName[];
  /** What the network is taken for: only what is wanted otherwise is looked at. Default: nothing is known, all is read. */
  from?: NetworkState;
  /** Makes and reads the switches of Open vSwitch; without it they are left alone. */
  switches?: SwitchDriver;
  /**
   * Called once when all bridges stand with their addresses: programs that serve on them may start while their ports are
   * made. Blocks meanwhile, so what is awaited here is only their start.
   */
  onBridges?: () => Promise<void>;
}

/**
 * Brings the network of the namespaces of `network`, which exist, to what it says, and changes nothing that is right. What is
 * inside guests is passed over.
 * @returns what was done; nothing when all was right
 * @throws LabError when the kernel refuses a change, or something else keeps undoing it
 */
export async function applyNetwork(host: Host, network: NetworkState, options: ApplyOptions = {}): Promise<Change[]> {
  const { switches } = options;
  const known = (state: NetworkState) => {
    const own = withoutGuests(state);
    return switches === undefined ? withoutSwitches(own) : own;
  };
  const wanted = known(network);
  const from = options.from === undefined ? null : known(options.from);
  for (const { tables } of Object.values(wanted)) checkTableNames(tables);
  let fresh: ReadonlySet<NamespaceName> = new Set(options.fresh);
  const done: Change[] = [];
  let { onBridges } = options;
  const bridgesStand = async (): Promise<void> => {
    const call = onBridges;
    onBridges = undefined;
    await call?.();
  };
  if (from !== null) {
    const came = await applyDifference(host, from, wanted, { fresh: [...fresh], onBridges: bridgesStand, done });
    if (came === "done") return done;
    if (came === "begun") fresh = new Set();
  }
  const only = from === null ? Object.keys(wanted) : changedNamespaces(from, wanted);
  const scope = new Set([...only, ...fresh].filter((namespace) => namespace in wanted));
  const session = new NetworkSession(host);
  const look = async (unread: ReadonlySet<NamespaceName>) => {
    for (;;) {
      const seen = [...scope].filter((namespace) => !unread.has(namespace));
      const observed = await observeIn(session, seen, { like: wanted, switches });
      for (const namespace of unread) observed[namespace] = newNamespaceState();
      const changes = diffNetwork(pick(wanted, scope), observed);
      const beyond = otherEnds(changes).filter((namespace) => namespace in wanted && !scope.has(namespace));
      if (beyond.length === 0) return changes;
      // A veth is made with both its ends, so the namespace of the other one is concerned too.
      for (const namespace of beyond) scope.add(namespace);
    }
  };
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const changes = await look(attempt === 0 ? fresh : new Set());
      if (changes.length === 0) {
        await bridgesStand();
        return done;
      }
      // With an address the kernel removes others of its subnet and routes, so look again before building on them.
      const isLast = !changes.some(({ kind }) => kind === "remove");
      const now = isLast ? changes : changes.filter(isFirst);
      await performChanges(session, now, { wanted, switches, onBridges: isLast ? bridgesStand : undefined });
      done.push(...now);
      // Where nothing was before, nothing can have been taken along.
      if (fresh.size === scope.size) return done;
    }
    const [left] = await look(new Set());
    if (left === undefined) {
      await bridgesStand();
      return done;
    }
    throw new LabError(`the network does not become what it should: ${formatChange(left)}`, {
      hint: "something else changes it meanwhile; `ip monitor` in that namespace shows what",
    });
  } finally {
    session.close();
  }
}

function withoutSwitches(network: NetworkState): NetworkState {
  return Object.fromEntries(
    Object.entries(network).map(([namespace, state]) => {
      const { switches: _switches, ...rest } = state;
      return [namespace, state.switches === undefined ? state : rest];
    }),
  );
}

function pick(network: NetworkState, namespaces: ReadonlySet<NamespaceName>): NetworkState {
  return Object.fromEntries(Object.entries(network).filter(([namespace]) => namespaces.has(namespace)));
}

/** Namespaces in which the other ends of the veths are that have to be made. */
function otherEnds(changes: readonly Change[]): NamespaceName[] {
  return changes.flatMap((change) =>
    change.object === "link" && change.kind === "add" ? (change.wanted?.peer?.namespace ?? []) : [],
  );
}
