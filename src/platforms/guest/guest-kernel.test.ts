import { expect, test } from "vitest";
import { perform } from "../../host/foreign-kernel.ts";
import { dialForeign } from "../../host/foreign-sockets.ts";
import { guest, GUEST, type Ports } from "./fixture.ts";
import { GuestKernel } from "./guest-kernel.ts";

const begin = (nonce: string, { out, err }: Ports) => {
  for (const port of [out, err]) port.send(`\n${nonce} begin\n`);
};

const over = (nonce: string, { out, err, control }: Ports) => {
  for (const port of [out, err]) port.send(`${nonce} end\n`);
  control.send(`exit ${nonce} 0\n`);
};

/** What the program does with a message: all calls succeed, and the results are their places in it, from 10. */
function answered(message: Buffer): Buffer {
  const answer = Buffer.from(message);
  for (let i = 0; i < answer.readUInt32LE(4); i++) answer.writeBigInt64LE(BigInt(10 + i), 8 + i * 64 + 56);
  return answer;
}

/** A guest whose kernel answers each message so. */
function kernel(answer: (message: Buffer) => Buffer) {
  let taken = 0;
  const { host } = guest(begin, (nonce, ports) => {
    const heard = Buffer.from(ports.control.heard, "latin1");
    if (heard.subarray(taken).includes("\nend\n") || heard.subarray(taken).toString("latin1") === "end\n") {
      over(nonce, ports);
      return;
    }
    const at = heard.lastIndexOf("data ");
    const [line = "", length = ""] = /^data (\d+)\n/.exec(heard.toString("latin1", at)) ?? [];
    if (at < taken || length === "") return;
    taken = at + line.length + Number(length);
    ports.out.send(answer(heard.subarray(at + line.length, taken)));
  });
  return new GuestKernel(host, GUEST);
}

test("calls of a message are carried out, a later one with what an earlier one returned", async () => {
  const messages: Buffer[] = [];
  const called = kernel((message) => {
    messages.push(message);
    return answered(message);
  });
  const results = await called.call([
    { number: 41, args: [2, 2, 0] },
    { number: 51, args: [{ resultOf: 0 }, Buffer.from("abc"), 3] },
  ]);
  expect(results).toEqual([
    { result: 10, bytes: [] },
    { result: 11, bytes: [Buffer.from("abc")] },
  ]);
  const dialled: unknown[] = [];
  const deed = () => dialForeign({ address: "10.0.0.2", port: 80, datagram: null }, (one) => void dialled.push(one.fd));
  await perform(called, [deed(), deed()]);
  expect(dialled).toEqual([10, 14]);
  // The second connection is tried by the second socket.
  const [, second = Buffer.alloc(0)] = messages;
  expect(second.readUInt32LE(8 + 6 * 64 + 4) - second.readUInt32LE(8 + 2 * 64 + 4)).toBe(4 * 64);
  await called.close();
});

test.each([
  ["too long", (message: Buffer) => Buffer.concat([message, message]), "nobody has asked"],
  ["cut", (message: Buffer) => message.subarray(0, 40), "has not answered for 30 s"],
])("an answer that is %s is an error that says so", async (_, answer, says) => {
  const called = kernel(answer);
  await expect(called.call([{ number: 39, args: [] }])).rejects.toThrow(says);
  await expect(called.call([{ number: 39, args: [] }])).rejects.toThrow(says);
  await called.close();
});
