import type { Host } from "../host/host.ts";
import { LabError } from "../model/error.ts";
import type { NamespaceState, NetworkState } from "../model/network-state.ts";
import type { NamespaceName } from "../model/plan.ts";
import { sameData } from "../model/same-data.ts";
import { formatChange, type Change, type TableChange } from "./change.ts";
import { changeScope, withinScope, type Scope } from "./change-scope.ts";
import { changedNamespaces } from "./changed-namespaces.ts";
import { diffNetwork } from "./diff.ts";
import { newNamespaceState } from "./new-namespace.ts";
import { observeScopes } from "./observe-scope.ts";
import { isFirst, performChanges } from "./perform.ts";
import { NetworkSession } from "./session.ts";
import { checkTableNames } from "./tables.ts";

/** Times that the state is brought nearer: removals, the rest, and what the rest took along. */
const ATTEMPTS = 3;

interface DifferenceOptions {
  /** Namespaces that have just been made. */
  fresh: readonly NamespaceName[];
  /** Awaited when bridges have their addresses. */
  onBridges: () => Promise<void>;
  /** Gets what was carried out. */
  done: Change[];
}

/**
 * Brings a network that is as `before` says to `after`, by reading and changing only the objects in which the two differ.
 * Tables are not read: nft changes them in one transaction, which fails as a whole.
 * @returns `done`; else all has to be looked at, because the kernel has one of these objects otherwise than `before` says, or
 * refuses a change, or the change is of a kind that is not looked at by parts. `begun`: after some of it was carried out.
 */
export async function applyDifference(
  host: Host,
  before: NetworkState,
  after: NetworkState,
  { fresh, onBridges, done }: DifferenceOptions,
): Promise<"done" | "begun" | "untouched"> {
  // Somebody has taken it away.
  if (fresh.some((namespace) => namespace in before)) return "untouched";
  const namespaces = changedNamespaces(before, after);
  const tables = namespaces.flatMap((namespace) => tableChanges(namespace, before[namespace], after[namespace]));
  const expected = diffNetwork(withoutTables(after, namespaces), withoutTables(before, namespaces));
  const scopes = changeScope(expected, before, after);
  if (scopes === null) return "untouched";
  const session = new NetworkSession(host);
  const wanted = within(after, scopes);
  const look = (unread: readonly NamespaceName[]) => {
    const read = new Map([...scopes].filter(([namespace]) => !unread.includes(namespace)));
    const observed = observeScopes(session, read, after);
    for (const namespace of unread) observed[namespace] = newNamespaceState();
    return diffNetwork(wanted, observed);
  };
  let isBegun = false;
  try {
    const first = look(fresh);
    if (!isExpected(first, expected)) return "untouched";
    isBegun = true;
    let changes: Change[] = [...tables, ...first];
    for (let attempt = 0; changes.length > 0; attempt++) {
      if (attempt === ATTEMPTS) return "begun";
      // With an address the kernel removes others of its subnet and routes, so look again before building on them.
      const isLast = !changes.some(({ kind }) => kind === "remove");
      const now = isLast ? changes : changes.filter(isFirst);
      await performChanges(session, now, { wanted: after, knownTables: true, ...(isLast ? { onBridges } : {}) });
      done.push(...now);
      changes = look([]);
    }
    await onBridges();
    return "done";
  } catch (error) {
    if (error instanceof LabError) return isBegun ? "begun" : "untouched";
    throw error;
  } finally {
    session.close();
  }
}

function tableChanges(
  namespace: NamespaceName,
  { tables: before }: NamespaceState = newNamespaceState(),
  { tables: after }: NamespaceState = newNamespaceState(),
): TableChange[] {
  checkTableNames(after);
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((name): TableChange[] => {
    const [observed, wanted] = [before[name] ?? null, after[name] ?? null];
    if (sameData(observed, wanted)) return [];
    const kind = observed === null ? "add" : wanted === null ? "remove" : "change";
    return [{ kind, namespace, object: "table", name, wanted, observed }];
  });
}

function withoutTables(network: NetworkState, namespaces: readonly NamespaceName[]): NetworkState {
  return Object.fromEntries(
    namespaces.map((namespace) => [namespace, { ...(network[namespace] ?? newNamespaceState()), tables: {} }]),
  );
}

function within(network: NetworkState, scopes: ReadonlyMap<NamespaceName, Scope>): NetworkState {
  return Object.fromEntries(
    [...scopes].map(([namespace, scope]) => [namespace, withinScope(network[namespace] ?? newNamespaceState(), scope)]),
  );
}

/** Whether what is there differs from what is wanted as the plans do. What has to be removed may be gone already. */
function isExpected(found: readonly Change[], expected: readonly Change[]): boolean {
  const left = new Set(expected.map(formatChange));
  const isKnown = found.every((change) => left.delete(formatChange(change)));
  return isKnown && expected.every((change) => change.kind === "remove" || !left.has(formatChange(change)));
}
