/** How a guest's agent is reached: Unix sockets that lead to its ports, in one folder. */
export interface AgentLines {
  sockets: string;
  /** Programs that can run at a time. */
  slots: number;
  /** What a terminal is inside, for the first so many slots. */
  terminals: readonly string[];
  /** Where the number of a slot is told whose program is about to be run; null: the agent waits at its ports. */
  bell: string | null;
}

/** A guest, for whoever runs programs in it. */
export interface Guest {
  name: string;
  lines: AgentLines;
  /** What ended it, if it does not run. */
  describeEnd(): Promise<string>;
}

/** Sockets of what runs in one slot. */
export function slotSockets({ sockets, terminals }: AgentLines, slot: number) {
  return {
    control: `${sockets}/control${slot}`,
    out: `${sockets}/out${slot}`,
    err: `${sockets}/err${slot}`,
    /** null: the slot has none. */
    terminal: slot < terminals.length ? `${sockets}/terminal${slot}` : null,
    lock: `${sockets}/lock${slot}`,
  };
}
