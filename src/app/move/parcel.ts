import type { LabSource, StoredLab } from "../../lab/context.ts";
import type { Move } from "../../lab/moves.ts";
import type { PlatformName } from "../../model/lab.ts";
import type { MovedDomain, SendOptions } from "../../platforms/platform.ts";

/** What a host is told of a domain that is to come there. */
export interface Parcel {
  /** Of the lab file, without what is nobody's but the main host's. */
  source: Pick<LabSource, "text" | "images">;
  platform: PlatformName;
  domain: string;
  /** Of its image. */
  imageKey: string;
  moved: MovedDomain;
}

/** What is asked of a host about what it has of a lab; `cloison part` is what answers at another one. */
export interface PartQuestions {
  /** Of the host that a domain is at: whether it can go, and what the other one has to know of it. */
  describe: { domain: string };
  /** Whether it can come. */
  check: Parcel;
  /** Makes it, to wait. Of one that comes as a layer: where that is to be put. */
  receive: Parcel;
  /** Makes ready what is carried to where the answers of `receive` say; a domain that has no other way stands still from then on. */
  offer: { domain: string };
  /** Sends it, by what has been joined to the other host's. */
  send: { domain: string };
  /** As `settle` of a platform that moves. */
  settle: { domain: string; phase: Move["phase"] };
  /** Whether it runs. Where all was `sent`, it comes to, of what has come, or does not; nothing waits any more. */
  arrive: { domain: string; isSent: boolean };
  /** It goes on where it was sent from: it runs nowhere else, and never will. */
  takeBack: { domain: string };
  /** What is there of it goes. */
  leave: { domain: string };
  /** The whole part goes. */
  down: Record<never, never>;
}
export interface PartAnswers {
  describe: Pick<Parcel, "imageKey" | "moved">;
  check: null;
  /** By the name of what is carried: where it is to come out, and where it goes in. */
  receive: Record<string, string>;
  offer: Record<string, string>;
  send: null;
  settle: { found: "here" | "sent" | "gone" };
  /** `why` not, if that is known. */
  arrive: { runs: boolean; why: string | null };
  takeBack: null;
  leave: null;
  down: null;
}

/** What is heard while a question is answered. */
export interface Hears extends SendOptions {
  /** The domain stands still from now on, and will until it runs at the other host. */
  onStill(): void;
}

/** The lab that is asked of. */
export interface PartOf {
  lab: string;
  /** The machine that it was made at; null: this one. */
  of: string | null;
}

export type Answers = {
  [Q in keyof PartQuestions]: (question: PartQuestions[Q], hears: Hears) => Promise<PartAnswers[Q]>;
};

export const isOf = ({ source }: Pick<StoredLab, "source">, { of }: PartOf) => (source?.part?.of ?? null) === of;
