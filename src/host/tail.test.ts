import fc from "fast-check";
import { expect, test } from "vitest";
import { Tail } from "./tail.ts";

test("a tail is the end of all that was pushed", () => {
  fc.assert(
    fc.property(fc.array(fc.stringMatching(/^[a-z]{0,9}$/)), fc.integer({ min: 1, max: 20 }), (chunks, limitBytes) => {
      const tail = new Tail(limitBytes);
      for (const chunk of chunks) tail.push(Buffer.from(chunk));
      expect(tail.text()).toBe(chunks.join("").slice(-limitBytes));
    }),
  );
});
