import { nameOfErrno } from "./packet-calls.ts";

/** A system call for a kernel that is not this machine's. */
export interface KernelCall {
  /** As x86-64 numbers them (asm/unistd_64.h). */
  number: number;
  args: readonly KernelArgument[];
}

/**
 * A number; bytes, which are put into memory and whose place is given; or, as the first argument only, what an earlier call
 * of the same message returned, by that call's place in it.
 */
export type KernelArgument = number | Uint8Array | { resultOf: number };

export interface KernelAnswer {
  /** Below 0: the negative errno. */
  result: number;
  /** Of the arguments that are bytes, in their order: what they hold afterwards. */
  bytes: Buffer[];
}

/** The kernel of a machine that is not this one. What it answers is its own to choose. */
export interface ForeignKernel {
  /** Carries out the calls of a message, one after the other. Throws LabError when no answer comes, or none of sense. */
  call(calls: readonly KernelCall[]): Promise<KernelAnswer[]>;
  close(): Promise<void>;
}

/** Calls that belong together, and what is made of their answers. */
export interface Deed {
  calls: KernelCall[];
  take(answers: KernelAnswer[]): void;
}

/** Carries out deeds in one message. */
export async function perform(kernel: ForeignKernel, deeds: readonly Deed[]): Promise<void> {
  const starts: number[] = [];
  const calls: KernelCall[] = [];
  for (const deed of deeds) {
    const start = calls.length;
    starts.push(start);
    calls.push(...deed.calls.map(({ number, args }) => ({ number, args: args.map((one) => moved(one, start)) })));
  }
  if (calls.length === 0) return;
  const answers = await kernel.call(calls);
  deeds.forEach((deed, i) => {
    const start = starts[i] ?? 0;
    deed.take(answers.slice(start, start + deed.calls.length));
  });
}

function moved(argument: KernelArgument, by: number): KernelArgument {
  return typeof argument === "object" && "resultOf" in argument ? { resultOf: argument.resultOf + by } : argument;
}

/** null: the call was carried out; else the errno name. */
export function refusalOf(answer: KernelAnswer | undefined): string | null {
  return answer === undefined || answer.result >= 0 ? null : nameOfErrno(-answer.result);
}
