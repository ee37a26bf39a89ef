import type { Connection, Host, Lock } from "../../host/host.ts";
import { hasCode } from "../../host/syscalls.ts";
import { LabError } from "../../model/error.ts";
import { slotSockets, type AgentLines } from "./agent-lines.ts";

/** A place in which one program of a guest runs, held by this process. */
export interface Slot {
  control: Connection;
  out: Connection;
  err: Connection;
  /** null: none was asked for. */
  terminal: { connection: Connection; device: string } | null;
  /** Tells the agent that there is something to be read: it does not wait for its ports. Once more does no harm. */
  ring(): Promise<void>;
  /** Lets others ring; when the agent has answered. */
  silence(): void;
  /** Has what is stuck sent on: QEMU's consoles for Xen keep what was more than could be taken until the guest stirs. */
  nudge(): Promise<void>;
  release(): void;
}

const WAIT_MS = 10_000;
const POLL_MS = 50;

/**
 * Takes a free place of the guest.
 * @throws LabError when all stay taken; errno's errors when its QEMU does not listen
 */
export async function takeSlot(host: Host, lines: AgentLines, domain: string, terminal: boolean): Promise<Slot> {
  const deadline = host.clock.monotonicMs() + WAIT_MS;
  // The last are left for programs without a terminal as long as there are some.
  const slots = Array.from({ length: terminal ? lines.terminals.length : lines.slots }, (_, i) =>
    terminal ? i : lines.slots - 1 - i,
  );
  for (;;) {
    for (const slot of slots) {
      const lock = host.tryLock(slotSockets(lines, slot).lock);
      if (lock !== null) return await connect(host, lines, slot, terminal, lock);
    }
    if (host.clock.monotonicMs() > deadline) {
      throw new LabError(
        `${slots.length} programs ${terminal ? "with a terminal " : ""}run in domain ${domain} already`,
        {
          hint: "wait until one of them ends",
        },
      );
    }
    await host.clock.sleep(POLL_MS);
  }
}

async function connect(host: Host, lines: AgentLines, slot: number, terminal: boolean, lock: Lock): Promise<Slot> {
  const sockets = slotSockets(lines, slot);
  const open: Connection[] = [];
  const release = () => {
    for (const connection of open) connection.close();
    lock.release();
  };
  const opened = async (path: string) => {
    const connection = await host.streams.connect(path);
    open.push(connection);
    return connection;
  };
  try {
    const [control, out, err] = [await opened(sockets.control), await opened(sockets.out), await opened(sockets.err)];
    const line = terminal && sockets.terminal !== null ? await opened(sockets.terminal) : null;
    let bell: Connection | null = null;
    return {
      control,
      out,
      err,
      terminal: line === null ? null : { connection: line, device: lines.terminals[slot] ?? "-" },
      async ring() {
        if (lines.bell === null) return;
        bell ??= await opened(lines.bell);
        await bell.write(`${slot}\n`);
      },
      silence() {
        bell?.close();
        bell = null;
      },
      async nudge() {
        if (lines.bell === null) await Promise.all([control, out, err].map((line) => line.write("over\n")));
      },
      release,
    };
  } catch (error) {
    release();
    throw error;
  }
}

/** Whether nothing listens on a socket. */
export function isNobodyThere(error: unknown): boolean {
  return hasCode(error, "ENOENT", "ECONNREFUSED", "EPIPE", "ECONNRESET");
}
