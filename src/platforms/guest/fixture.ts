import { createFakeHost } from "../../host/fake.ts";
import type { Connection } from "../../host/host.ts";
import type { Workspace } from "../platform.ts";
import type { Guest } from "./agent-lines.ts";

/** Of a lab named l. */
export const WORKSPACE: Workspace = {
  directory: "/labs/l",
  cgroup: "cloison/l",
  rootfs: () => "/images/key/rootfs",
  record: async () => undefined,
};

export const GUEST: Guest = {
  name: "www",
  lines: { sockets: "/run/www", slots: 2, terminals: [], bell: "/run/www/bell" },
  describeEnd: async () => "its kernel panicked",
};

/** A port: what the guest sends, and what it has heard. */
class Port implements Connection {
  heard = "";
  closed = false;
  #chunks: Buffer[] = [];
  #wake: () => void = () => undefined;
  #onWrite: () => void;

  constructor(onWrite: () => void = () => undefined) {
    this.#onWrite = onWrite;
  }

  send(bytes: string | Buffer): void {
    this.#chunks.push(Buffer.from(bytes));
    this.#wake();
  }

  async write(bytes: Uint8Array | string): Promise<void> {
    this.heard += Buffer.from(bytes).toString("latin1");
    this.#onWrite();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) yield chunk;
      else if (this.closed) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  close(): void {
    this.closed = true;
    this.#wake();
  }
}

export interface Ports {
  control: Port;
  out: Port;
  err: Port;
}

/** A guest whose agent does this when it is told to run a program, and that each time that it is told more. */
export function guest(
  agent: (nonce: string, ports: Ports) => void,
  more: (nonce: string, ports: Ports) => void = () => undefined,
) {
  let answered = false;
  const ports: Ports = {
    control: new Port(() => {
      const [, nonce] = /^run ([0-9a-f]{32}) /m.exec(ports.control.heard) ?? [];
      if (nonce === undefined) return;
      if (answered) more(nonce, ports);
      else agent(nonce, ports);
      answered = true;
    }),
    out: new Port(),
    err: new Port(),
  };
  const host = createFakeHost({
    connect(path) {
      const name = /\/([a-z]+)\d$/.exec(path)?.[1];
      return name === "control" || name === "out" || name === "err" ? ports[name] : new Port();
    },
  });
  return { host, ports };
}
