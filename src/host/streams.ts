import { once } from "node:events";
import { createWriteStream, mkdirSync } from "node:fs";
import { createConnection, type Socket } from "node:net";
import { dirname } from "node:path";
import type { Connection, Streams, UserStreams } from "./host.ts";
import { hasCode } from "./syscalls.ts";

/** @param own the process whose user is meant */
export function createStreams(own: Pick<NodeJS.Process, "stdin" | "stdout" | "stderr">): Streams {
  return {
    async connect(path) {
      const socket = createConnection({ path });
      await once(socket, "connect");
      return connectionOn(socket);
    },

    appendTo(path) {
      mkdirSync(dirname(path), { recursive: true });
      const stream = createWriteStream(path, { flags: "a", mode: 0o644 });
      const ended = new Promise<void>((resolve, reject) => stream.once("close", resolve).once("error", reject));
      ended.catch(() => undefined);
      return {
        write: (bytes) => void stream.write(bytes),
        close() {
          stream.end();
          return ended;
        },
      };
    },

    user: userStreams(own),
  };
}

function connectionOn(socket: Socket): Connection {
  // Told to whoever reads or writes next.
  socket.on("error", () => undefined);
  return {
    write: (bytes) =>
      new Promise((resolve, reject) => socket.write(bytes, (error) => (error ? reject(error) : resolve()))),
    [Symbol.asyncIterator]: () => read(socket),
    close: () => void socket.destroy(),
  };
}

async function* read(socket: Socket): AsyncGenerator<Buffer> {
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- without an encoding chunks are buffers
    for await (const chunk of socket) yield chunk as Buffer;
  } catch (error) {
    // Closed by us, or the other side went away: for a reader both are the end.
    if (!hasCode(error, "ERR_STREAM_PREMATURE_CLOSE", "ECONNRESET", "EPIPE")) throw error;
  }
}

function userStreams({ stdin, stdout, stderr }: Pick<NodeJS.Process, "stdin" | "stdout" | "stderr">): UserStreams {
  return {
    input(take) {
      const end = () => take(null);
      stdin.on("data", take).once("end", end);
      return () => {
        stdin.off("data", take).off("end", end);
        // Reading on would keep this process alive.
        stdin.pause();
      };
    },
    output: (bytes) => void stdout.write(bytes),
    error: (bytes) => void stderr.write(bytes),
    size: () => (stdout.isTTY ? { rows: stdout.rows, columns: stdout.columns } : null),
    takeKeys() {
      if (!stdin.isTTY) return () => undefined;
      stdin.setRawMode(true);
      return () => void stdin.setRawMode(false);
    },
    onResize(work) {
      stdout.on("resize", work);
      return () => void stdout.off("resize", work);
    },
  };
}
