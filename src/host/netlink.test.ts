import { createRequire } from "node:module";
import { describe, expect, test } from "vitest";
import { LabError } from "../model/error.ts";
import { listNftTables } from "./netlink-nftables.ts";
import { MessageWriter, readMessages, type Message } from "./netlink-message.ts";
import type { NetlinkRequest } from "./netlink-request.ts";
import type { NetlinkTransport } from "./netlink-transport.ts";
import { NetlinkSocket } from "./netlink.ts";

const EEXIST = 17;
const ENODEV = 19;
const EPERM = 1;
const ACK = 4;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const MULTI = 2;
const DUMP_INTR = 0x10;

interface Answer {
  type: number;
  flags?: number;
  sequence: number;
  payload: Buffer;
}

/** A kernel that answers each datagram as `answer` says. */
function kernel(answer: (messages: Message[], datagram: number) => Answer[]) {
  const queue: Buffer[] = [];
  const sent: Message[][] = [];
  const transport: NetlinkTransport & { closed: boolean } = {
    closed: false,
    send(datagram) {
      const messages = [...readMessages(Buffer.from(datagram))];
      sent.push(messages);
      for (const { type, flags = 0, sequence, payload } of answer(messages, sent.length)) {
        const out = new MessageWriter();
        out.begin(type, flags, sequence);
        for (const byte of payload) out.u8(byte);
        out.end();
        queue.push(Buffer.from(out.bytes()));
      }
    },
    async sendInBackground(datagram) {
      this.send(datagram);
    },
    receive() {
      const next = queue.shift();
      if (next === undefined) throw new Error("the socket waits for an answer that never comes");
      return next;
    },
    filterDumps: () => undefined,
    close() {
      this.closed = true;
    },
  };
  return { transport, sent };
}

function acknowledgement({ sequence }: Message, errno = 0, detail?: string): Answer {
  const payload = Buffer.alloc(20);
  payload.writeInt32LE(-errno);
  if (detail === undefined) return { type: NLMSG_ERROR, flags: 0x100, sequence, payload };
  const text = Buffer.from(`${detail}\0`);
  const attribute = Buffer.alloc(4 + ((text.length + 3) & ~3));
  attribute.writeUInt16LE(4 + text.length);
  attribute.writeUInt16LE(1, 2);
  text.copy(attribute, 4);
  return { type: NLMSG_ERROR, flags: 0x300, sequence, payload: Buffer.concat([payload, attribute]) };
}

/** As the kernel does: answers what fails, and what asks for it. */
function failing(errors: Map<number, [number, string?]>) {
  return (messages: Message[]) =>
    messages.flatMap((message) => {
      const error = errors.get(message.sequence);
      if (error !== undefined) return [acknowledgement(message, ...error)];
      return (message.flags & ACK) === 0 ? [] : [acknowledgement(message)];
    });
}

const link = { index: 7, name: "vif1.0" };
const up: NetlinkRequest = { do: "change-link", link, up: true };
const addAddress: NetlinkRequest = { do: "add-address", link, address: "10.23.0.1", prefix: 24 };

function errorOf(work: () => void): LabError {
  try {
    work();
  } catch (error) {
    if (error instanceof LabError) return error;
    throw error;
  }
  throw new Error("did not fail");
}

describe("NetlinkSocket.perform", () => {
  test("many requests go in few datagrams; success is asked for once in each", () => {
    const { transport, sent } = kernel(failing(new Map()));
    new NetlinkSocket(transport).perform(Array.from({ length: 300 }, () => up));
    expect(sent.map((messages) => messages.length)).toEqual([128, 128, 44]);
    for (const messages of sent) {
      expect(messages.filter(({ flags }) => (flags & ACK) !== 0)).toEqual([messages.at(-1)]);
    }
    const sequences = sent.flat().map(({ sequence }) => sequence);
    expect(sequences).toEqual(Array.from({ length: 300 }, (_, i) => i + 1));
  });

  test("nothing to do: nothing is sent", () => {
    const { transport, sent } = kernel(failing(new Map()));
    new NetlinkSocket(transport).perform([]);
    expect(sent).toEqual([]);
  });

  test("a failure names the request, what the kernel says of it, and how many more there were", () => {
    const { transport } = kernel(
      failing(
        new Map([
          [2, [EEXIST, "ipv4: Address already assigned"]],
          [3, [ENODEV]],
        ]),
      ),
    );
    const error = errorOf(() => new NetlinkSocket(transport).perform([up, addAddress, up, up]));
    expect(error.message).toBe(
      "adding address 10.23.0.1/24 to vif1.0: File exists (ipv4: Address already assigned); 1 more of the batch failed",
    );
    expect(error.hint).toContain("cloison down");
  });

  test("the answer to the last request may itself be a failure", () => {
    const { transport } = kernel(failing(new Map([[1, [EPERM]]])));
    const error = errorOf(() => new NetlinkSocket(transport).perform([up]));
    expect(error.message).toBe("setting vif1.0 to up: Operation not permitted");
    expect(error.exit).toBe(3);
  });

  test("later batches are not sent after a failure", () => {
    const { transport, sent } = kernel(failing(new Map([[5, [EEXIST]]])));
    errorOf(() => new NetlinkSocket(transport).perform(Array.from({ length: 200 }, () => up)));
    expect(sent).toHaveLength(1);
  });

  test("deleting what is not there is fine; changing it is not", () => {
    const gone = kernel(failing(new Map([[1, [ENODEV]]])));
    new NetlinkSocket(gone.transport).perform([{ do: "delete-link", link }, up]);
    const missing = kernel(failing(new Map([[1, [ENODEV]]])));
    expect(errorOf(() => new NetlinkSocket(missing.transport).perform([up, up])).message).toBe(
      "setting vif1.0 to up: No such device",
    );
  });

  test("an acknowledgement that echoes the request is understood too", () => {
    const { transport } = kernel(([message]) => {
      if (message === undefined) return [];
      const { payload } = acknowledgement(message, EEXIST, "why");
      const echo = Buffer.alloc(24);
      const header = Buffer.from(payload.subarray(0, 20));
      header.writeUInt32LE(16 + echo.length, 4);
      return [
        {
          type: NLMSG_ERROR,
          flags: 0x200,
          sequence: message.sequence,
          payload: Buffer.concat([header, echo, payload.subarray(20)]),
        },
      ];
    });
    expect(errorOf(() => new NetlinkSocket(transport).perform([up])).message).toBe(
      "setting vif1.0 to up: File exists (why)",
    );
  });
});

describe("NetlinkSocket asks for one object", () => {
  const ENOENT = 2;
  const proxy = Buffer.from("0200000007000000800008000800010000000000", "hex");

  test("the answer is decoded, and the acknowledgement behind it is passed over", () => {
    const { transport, sent } = kernel(([message]) =>
      message === undefined ? [] : [{ type: 28, sequence: message.sequence, payload: proxy }, acknowledgement(message)],
    );
    const socket = new NetlinkSocket(transport);
    expect(socket.neighbour(7, "0.0.0.0", true)).toMatchObject({ linkIndex: 7, address: "0.0.0.0", proxy: true });
    expect(socket.neighbour(7, "0.0.0.0", true)).not.toBeNull();
    expect(sent.map(([message]) => message?.type)).toEqual([30, 30]);
  });

  test("what is not there is null, and so is what the kernel says nothing of; a refusal is an error", () => {
    const answering = (errno: number) =>
      new NetlinkSocket(kernel((messages) => messages.map((message) => acknowledgement(message, errno))).transport);
    expect(answering(ENODEV).link("vif1.0")).toBeNull();
    expect(answering(ENOENT).neighbour(7, "10.0.0.1", false)).toBeNull();
    expect(answering(0).qdisc(7)).toBeNull();
    expect(() => answering(EPERM).link(7)).toThrow(LabError);
  });
});

describe("NetlinkSocket's dumps", () => {
  const neighbour = Buffer.from("020000002000000080000001" + "080001000a170009", "hex");
  const route = Buffer.from("02100000fe04000100000000" + "080001000a090000", "hex");
  const done = (sequence: number): Answer => ({ type: NLMSG_DONE, flags: MULTI, sequence, payload: Buffer.alloc(4) });

  test("answers of an earlier, broken-off dump are passed over", () => {
    const { transport } = kernel(([message]) => {
      const sequence = message?.sequence ?? 0;
      return [
        { type: 24, flags: MULTI, sequence: sequence + 100, payload: route },
        { type: 24, flags: MULTI, sequence, payload: route },
        done(sequence),
      ];
    });
    expect(new NetlinkSocket(transport).routes()).toHaveLength(1);
  });

  test("a dump that was interrupted is read again", () => {
    const { transport, sent } = kernel(([message], datagram) => {
      const sequence = message?.sequence ?? 0;
      return [
        { type: 28, flags: MULTI | (datagram === 1 ? DUMP_INTR : 0), sequence, payload: neighbour },
        done(sequence),
      ];
    });
    // Two dumps make one answer: the cache and the proxy entries.
    expect(new NetlinkSocket(transport).neighbours()).toHaveLength(2);
    expect(sent).toHaveLength(3);
  });

  test("a network that never rests is given up", () => {
    const { transport } = kernel(([message]) => [
      { type: NLMSG_DONE, flags: MULTI | DUMP_INTR, sequence: message?.sequence ?? 0, payload: Buffer.alloc(4) },
    ]);
    expect(errorOf(() => new NetlinkSocket(transport).links()).message).toContain("changes faster");
  });

  test("a refusal is an error", () => {
    const { transport } = kernel((messages) => messages.map((message) => acknowledgement(message, EPERM)));
    expect(errorOf(() => new NetlinkSocket(transport).links()).message).toBe(
      "reading the network: Operation not permitted",
    );
  });

  test("close closes the transport", () => {
    const { transport } = kernel(() => []);
    new NetlinkSocket(transport).close();
    expect(transport.closed).toBe(true);
  });
});

describe("listNftTables", () => {
  test("names tables with their family", () => {
    const table = (family: number, name: string): Answer => {
      const text = Buffer.from(`${name}\0`);
      const payload = Buffer.alloc(8 + ((text.length + 3) & ~3));
      payload[0] = family;
      payload.writeUInt16LE(4 + text.length, 4);
      payload.writeUInt16LE(1, 6);
      text.copy(payload, 8);
      return { type: 0x0a00, flags: MULTI, sequence: 1, payload };
    };
    const { transport } = kernel(() => [
      table(1, "cloison"),
      table(7, "cloison-vifs"),
      { type: NLMSG_DONE, flags: MULTI, sequence: 1, payload: Buffer.alloc(4) },
    ]);
    expect(listNftTables(transport)).toEqual(["inet cloison", "bridge cloison-vifs"]);
    expect(transport.closed).toBe(true);
  });

  test("a kernel without nftables has none", () => {
    const { transport } = kernel((messages) => messages.map((message) => acknowledgement(message, 22)));
    expect(listNftTables(transport)).toEqual([]);
  });
});

test("importing the module does not load koffi", () => {
  const loaded = Object.keys(createRequire(import.meta.url).cache);
  expect(loaded.filter((path) => path.includes("koffi"))).toEqual([]);
});
