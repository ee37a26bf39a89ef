import { parseLab } from "../../files/lab-file.ts";
import { bringUp } from "../../lab/bring-up.ts";
import { readStoredLab } from "../../lab/context.ts";
import { labNames } from "../../lab/inventory.ts";
import { tearDown } from "../../lab/teardown.ts";
import { removeUnpacked } from "../../lab/unpacked.ts";
import type { AppContext } from "../context.ts";
import { planFor } from "../prepare.ts";
import { checkComing, hasArrived, receiveComing } from "./coming.ts";
import { describeGoing, offerGoing, sendGoing, settleGoing, takeBackGoing } from "./going.ts";
import { isOf, type Answers, type PartOf } from "./parcel.ts";

/** What a host answers about its part of a lab. Whoever asks holds the lab's lock here. */
export function answersOf(app: AppContext, part: PartOf): Answers {
  return {
    describe: (question) => describeGoing(app, part, question),
    check: (parcel) => checkComing(app, part, parcel),
    receive: (parcel) => receiveComing(app, part, parcel),
    offer: (question, hears) => offerGoing(app, part, question, hears),
    send: (question, hears) => sendGoing(app, part, question, hears),
    settle: (question) => settleGoing(app, part, question),
    arrive: (question) => hasArrived(app, part, question),
    takeBack: (question) => takeBackGoing(app, part, question),
    leave: ({ domain }) => remove(app, part, (name) => name === domain),
    down: () => remove(app, part, () => true),
  };
}

/** Removes domains that do not come, or have gone. With the last one goes the part of a lab of another machine. */
async function remove(app: AppContext, part: PartOf, goes: (domain: string) => boolean): Promise<null> {
  const { lab, of } = part;
  await removeUnpacked(app, lab);
  if (!(await labNames(app)).includes(lab)) return null;
  const stored = await readStoredLab(app, lab);
  // An incomplete one is what was being made when the connection was lost.
  if (stored === null) {
    await tearDown(app, lab);
    return null;
  }
  if (!isOf(stored, part)) return null;
  const { plan, roots, source, unsettled } = stored;
  const names = plan.domains.map(({ name }) => name);
  const domains = names.filter((name) => !goes(name));
  if (of !== null && (source === undefined || domains.length === 0)) {
    await tearDown(app, lab);
    return null;
  }
  if (source === undefined || (unsettled === null && domains.length === names.length)) return null;
  const left = { domains, isMain: of === null };
  const file = parseLab("the lab file", source.text, source.images);
  await bringUp(app, await planFor(app, file, plan.platform, left), roots, {
    parallel: 1,
    // Others that their user has shut down are not to be made anew. What a command was making is in no plan yet.
    only: [...names, ...(unsettled ?? [])].filter(goes),
    source: of === null ? source : { ...source, part: { ...left, of } },
  });
  return null;
}
