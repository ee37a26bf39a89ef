import fc from "fast-check";
import { expect, test } from "vitest";
import { TimeoutList, type Expiring } from "./timeout-list.ts";

class Item implements Expiring {
  deadlineNs = 0;
  earlier: this | null = null;
  later: this | null = null;
  listed = false;
}

test("expires in the order of adding, and not before its time", () => {
  const list = new TimeoutList<Item>(1);
  const [a, b] = [new Item(), new Item()];
  list.add(a, 0);
  list.add(b, 10);
  expect(list.expired(999_999)).toBeNull();
  expect(list.expired(1e6)).toBe(a);
  list.remove(a);
  expect(list.expired(1e6)).toBeNull();
  expect(list.first).toBe(b);
});

test("does what a plain queue does", () => {
  const moves = fc.array(fc.record({ item: fc.nat(5), remove: fc.boolean() }), { maxLength: 60 });
  fc.assert(
    fc.property(moves, (list) => {
      const items = Array.from({ length: 6 }, () => new Item());
      const timeouts = new TimeoutList<Item>(1);
      let queue: Item[] = [];
      list.forEach(({ item: index, remove }, nowNs) => {
        const item = items[index] ?? new Item();
        if (remove || item.listed) {
          timeouts.remove(item);
          queue = queue.filter((other) => other !== item);
        }
        if (!remove) {
          timeouts.add(item, nowNs);
          queue.push(item);
        }
        const walked: Item[] = [];
        for (let at = timeouts.first; at !== null; at = at.later) walked.push(at);
        expect(walked.map((one) => items.indexOf(one))).toEqual(queue.map((one) => items.indexOf(one)));
      });
    }),
  );
});
