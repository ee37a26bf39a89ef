import type { NetworkState } from "../../model/network-state.ts";
import type { Endpoint, Question } from "../../model/reachability.ts";
import type { Change } from "../../netstate/change.ts";
import { withChange } from "../../netstate/with-change.ts";
import { compileNetwork } from "../../walk/compile-network.ts";
import { walk } from "../../walk/walk.ts";

/**
 * Which differences between the observed network and the wanted one are to blame that a question is answered otherwise:
 * those of which each alone, mended, brings the wanted answer; else a smallest set of them that does so together; none when
 * not even all of them do.
 */
export function culprits(
  observed: NetworkState,
  wanted: NetworkState,
  changes: readonly Change[],
  endpoints: Endpoint[],
  question: Question,
): Change[] {
  const outcomeIn = (state: NetworkState) => walk(compileNetwork(state), endpoints, question).outcome;
  const right = outcomeIn(wanted);
  if (outcomeIn(observed) === right) return [];
  const mends = (some: readonly Change[]) => outcomeIn(some.reduce(withChange, observed)) === right;

  const alone = changes.filter((change) => mends([change]));
  if (alone.length > 0) return alone;
  if (!mends(changes)) return [];
  return changes.reduce<readonly Change[]>((needed, change) => {
    const fewer = needed.filter((one) => one !== change);
    return mends(fewer) ? fewer : needed;
  }, changes) as Change[];
}
