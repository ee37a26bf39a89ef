/** What can stand in a TimeoutList. */
export interface Expiring {
  deadlineNs: number;
  earlier: this | null;
  later: this | null;
  listed: boolean;
}

/**
 * Things that expire a constant time after they were added: the order of adding is the order of expiry, so adding,
 * removing and looking for the next are one step each, whatever their number.
 */
export class TimeoutList<T extends Expiring> {
  first: T | null = null;
  private last: T | null = null;
  private readonly timeoutNs: number;

  constructor(timeoutMs: number) {
    this.timeoutNs = timeoutMs * 1e6;
  }

  add(item: T, nowNs: number): void {
    item.deadlineNs = nowNs + this.timeoutNs;
    item.listed = true;
    item.earlier = this.last;
    item.later = null;
    if (this.last === null) this.first = item;
    else this.last.later = item;
    this.last = item;
  }

  /** Not in the list is fine. */
  remove(item: T): void {
    if (!item.listed) return;
    item.listed = false;
    if (item.earlier === null) this.first = item.later;
    else item.earlier.later = item.later;
    if (item.later === null) this.last = item.earlier;
    else item.later.earlier = item.earlier;
    item.earlier = null;
    item.later = null;
  }

  /** The first one if its time has come. */
  expired(nowNs: number): T | null {
    return this.first !== null && this.first.deadlineNs <= nowNs ? this.first : null;
  }
}
