import type { Ending } from "./fence.ts";

/** What a watch has seen of the hosts that domains were moved to, or done about them. */
export type HostEvent =
  /** It is not heard of; `detail` says what follows. */
  | { event: "lost"; host: string; domains: string[]; detail: string; hint: string | null }
  | { event: "back"; host: string; domains: string[] }
  | { event: "fencing"; host: string; domains: string[] }
  | { event: "fenced"; host: string; domains: string[]; how: Ending; tookMs: number }
  | { event: "fence-failed"; host: string; detail: string; hint: string | null; againInMs: number | null }
  /** A domain runs at the lab's own host. What it wrote since the snapshot, or all, is lost, and its memory. */
  | {
      event: "taken-over";
      domain: string;
      host: string;
      snapshot: { name: string; createdAt: string; ageMs: number } | null;
      tookMs: number;
    }
  | { event: "take-over-failed"; domains: string[]; detail: string; hint: string | null; againInMs: number }
  /** What the host had left of the lab is removed. `ranOn`: it had never ended, whatever the fence command said. */
  | { event: "cleared"; host: string; domains: string[]; ranOn: boolean };
