import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MessageWriter, readAttributes, readMessages, readText } from "./netlink-message.ts";

describe("netlink messages", () => {
  test("what is written is read back, whatever its length", () => {
    const attribute = fc.record({
      type: fc.integer({ min: 1, max: 1000 }),
      payload: fc.uint8Array({ maxLength: 3000 }),
    });
    const attributes = fc.uniqueArray(attribute, { selector: ({ type }) => type, maxLength: 12 });
    fc.assert(
      fc.property(fc.array(attributes, { minLength: 1, maxLength: 5 }), (messages) => {
        const out = new MessageWriter();
        messages.forEach((list, i) => {
          out.begin(40 + i, 7, i + 1);
          for (const { type, payload } of list) out.attribute(type, payload);
          out.end();
        });
        const read = [...readMessages(out.bytes())];
        expect(read.map(({ type, flags, sequence }) => [type, flags, sequence])).toEqual(
          messages.map((_, i) => [40 + i, 7, i + 1]),
        );
        read.forEach(({ payload }, i) => {
          const back = [...readAttributes(payload)].map(([type, bytes]) => ({ type, payload: new Uint8Array(bytes) }));
          expect(back).toEqual(messages[i]);
        });
      }),
    );
  });

  test("nested attributes", () => {
    const out = new MessageWriter();
    out.begin(1, 0, 1);
    out.nest(18, () => {
      out.attributeText(1, "veth");
      out.nest(2, () => out.attributeU32(9, 0xfffffffe));
    });
    out.end();
    const [message] = [...readMessages(out.bytes())];
    const outer = readAttributes(readAttributes(message?.payload ?? Buffer.alloc(0)).get(18) ?? Buffer.alloc(0));
    expect(readText(outer.get(1) ?? Buffer.alloc(0))).toBe("veth");
    expect(
      readAttributes(outer.get(2) ?? Buffer.alloc(0))
        .get(9)
        ?.readUInt32LE(0),
    ).toBe(0xfffffffe);
  });

  test("bytes that are no messages are refused, not read past their end", () => {
    expect(() => [...readMessages(Buffer.from("08000000100000000100000000000000", "hex"))]).toThrow(RangeError);
    expect(() => [...readMessages(Buffer.from("40000000100000000100000000000000", "hex"))]).toThrow(RangeError);
    expect(() => readAttributes(Buffer.from("02000100", "hex"))).toThrow(RangeError);
    expect(() => readAttributes(Buffer.from("0900010041424344", "hex"))).toThrow(RangeError);
  });
});
