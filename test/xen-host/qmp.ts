import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";

/** QEMU's monitor: one command at a time. */
export interface Monitor {
  /** @throws Error with QEMU's own words when it refuses, or is gone */
  ask(command: string, args?: Record<string, unknown>): Promise<unknown>;
  close(): void;
}

interface Message {
  QMP?: unknown;
  return?: unknown;
  error?: { desc: string };
  event?: string;
}

/** Source: QEMU's qmp-spec: a greeting, `qmp_capabilities`, then an answer for each command, with events in between. */
export async function openMonitor(path: string): Promise<Monitor> {
  const socket = await connected(path);
  const waiting: { resolve: (message: Message) => void; reject: (error: Error) => void }[] = [];
  let gone: Error | null = null;
  const next = () =>
    new Promise<Message>((resolve, reject) => (gone === null ? waiting.push({ resolve, reject }) : reject(gone)));
  const end = (why: string) => {
    gone ??= new Error(why);
    for (const { reject } of waiting.splice(0)) reject(gone);
  };
  createInterface({ input: socket })
    .on("line", (line) => {
      const message = JSON.parse(line) as Message;
      if (message.event === undefined) waiting.shift()?.resolve(message);
    })
    // It passes on the socket's.
    .on("error", (error: Error) => end(`QEMU's monitor: ${error.message}`));
  socket.on("close", () => end("QEMU has ended"));

  const ask: Monitor["ask"] = async (command, args = {}) => {
    const answered = next();
    socket.write(`${JSON.stringify({ execute: command, arguments: args })}\n`);
    const message = await answered;
    if (message.error !== undefined) throw new Error(`QEMU refuses ${command}: ${message.error.desc}`);
    return message.return;
  };
  await next();
  await ask("qmp_capabilities");
  return { ask, close: () => void socket.destroy() };
}

function connected(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.off("error", reject);
      resolve(socket);
    });
    socket.once("error", reject);
  });
}
