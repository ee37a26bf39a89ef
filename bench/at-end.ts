/** What a bench leaves for its end, whether it comes by itself, by an error or by a signal. */
export class AtEnd {
  private readonly works: (() => Promise<void>)[] = [];

  /** Added before the thing is made that it takes away; it must be idempotent. */
  add(work: () => Promise<void>): void {
    this.works.push(work);
  }

  /** Does it all, newest first, once; one that fails keeps none of the others from being done. Throws AggregateError. */
  async run(): Promise<void> {
    const failures: unknown[] = [];
    for (let work = this.works.pop(); work !== undefined; work = this.works.pop()) {
      try {
        await work();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, failures.map(String).join("; "));
  }
}
