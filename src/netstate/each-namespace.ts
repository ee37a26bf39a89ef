import PQueue from "p-queue";
import type { NamespaceName } from "../model/plan.ts";

/** Programs in several namespaces run side by side; as many as this. */
const PROGRAMS = 8;

/** Does the work for every namespace that the entries speak of, with its entries; several at a time. Throws what the first throws. */
export async function eachNamespace<T extends { namespace: NamespaceName }>(
  entries: readonly T[],
  work: (namespace: NamespaceName, group: T[]) => Promise<void>,
): Promise<void> {
  const queue = new PQueue({ concurrency: PROGRAMS });
  await queue.addAll(
    [...byNamespace(entries)].map(
      ([namespace, group]) =>
        () =>
          work(namespace, group),
    ),
  );
}

export function byNamespace<T extends { namespace: NamespaceName }>(entries: readonly T[]): Map<NamespaceName, T[]> {
  const groups = new Map<NamespaceName, T[]>();
  for (const entry of entries) {
    const group = groups.get(entry.namespace);
    if (group === undefined) groups.set(entry.namespace, [entry]);
    else group.push(entry);
  }
  return groups;
}
