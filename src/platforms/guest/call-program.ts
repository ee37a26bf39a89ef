import type { KernelAnswer, KernelCall } from "../../host/foreign-kernel.ts";

/** Where the program is loaded, and where it keeps a message: both are known, so that addresses can be written outside. */
const CODE_AT = 0x40_0000;
const AREA_AT = 0x50_0000;
/** Of the largest message. */
export const AREA_BYTES = 0x10_0000;

/**
 * The whole program, x86-64: reads a message from its standard input, carries out the system calls in it, writes it back
 * as they left it, and begins anew; ends when its input does. Written as bytes because nothing else is sure to be there: an
 * image has no compiler and need not have an interpreter, nor need this machine.
 */
const CODE = `
bb 00 00 50 00   #         mov  $AREA, %ebx
89 de            #         mov  %ebx, %esi
bd 08 00 00 00   #         mov  $8, %ebp          the header first
31 ff            # fill:   xor  %edi, %edi
89 ea            #         mov  %ebp, %edx
31 c0            #         xor  %eax, %eax        read(0, rsi, ebp)
0f 05            #         syscall
85 c0            #         test %eax, %eax
7e 75            #         jle  gone
48 01 c6         #         add  %rax, %rsi
29 c5            #         sub  %eax, %ebp
75 ed            #         jnz  fill
48 8d 43 08      #         lea  8(%rbx), %rax     only the header yet:
48 39 c6         #         cmp  %rax, %rsi
75 07            #         jne  whole
8b 2b            #         mov  (%rbx), %ebp      the rest of the length that it names
83 ed 08         #         sub  $8, %ebp
eb dd            #         jmp  fill
44 8b 63 04      # whole:  mov  4(%rbx), %r12d    number of calls
4c 8d 6b 08      #         lea  8(%rbx), %r13     the first
41 8b 45 00      # next:   mov  (%r13), %eax      its number
41 8b 4d 04      #         mov  4(%r13), %ecx     where its first argument stands, or 0
49 8b 7d 08      #         mov  8(%r13), %rdi
e3 03            #         jrcxz call
48 8b 39         #         mov  (%rcx), %rdi
49 8b 75 10      # call:   mov  16(%r13), %rsi
49 8b 55 18      #         mov  24(%r13), %rdx
4d 8b 55 20      #         mov  32(%r13), %r10
4d 8b 45 28      #         mov  40(%r13), %r8
4d 8b 4d 30      #         mov  48(%r13), %r9
0f 05            #         syscall
49 89 45 38      #         mov  %rax, 56(%r13)    its result
49 83 c5 40      #         add  $64, %r13
41 ff cc         #         dec  %r12d
75 cc            #         jnz  next
89 de            #         mov  %ebx, %esi
8b 2b            #         mov  (%rbx), %ebp
bf 01 00 00 00   # drain:  mov  $1, %edi
89 ea            #         mov  %ebp, %edx
b8 01 00 00 00   #         mov  $1, %eax          write(1, rsi, ebp)
0f 05            #         syscall
85 c0            #         test %eax, %eax
7e 0c            #         jle  gone
48 01 c6         #         add  %rax, %rsi
29 c5            #         sub  %eax, %ebp
75 e7            #         jnz  drain
e9 73 ff ff ff   #         jmp  start
b8 3c 00 00 00   # gone:   mov  $60, %eax         exit(0)
31 ff            #         xor  %edi, %edi
0f 05            #         syscall
`;

/** The program as a file that the kernel runs (elf(5)): one segment, with the area behind the code. */
export function callProgram(): Buffer {
  const code = Buffer.from(CODE.replaceAll(/#.*$/gm, "").replaceAll(/\s/g, ""), "hex");
  const headers = Buffer.alloc(120);
  const file = Buffer.concat([headers, code]);
  // Magic, 64 bits, little-endian, version; an executable for x86-64.
  headers.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1], 0);
  for (const [at, value] of [
    [16, 2],
    [18, 62],
    [52, 64],
    [54, 56],
    [56, 1],
  ] as const) {
    headers.writeUInt16LE(value, at);
  }
  headers.writeUInt32LE(1, 20);
  headers.writeBigUInt64LE(BigInt(CODE_AT + headers.length), 24);
  headers.writeBigUInt64LE(64n, 32);
  // To be loaded, may be read, written and executed.
  headers.writeUInt32LE(1, 64);
  headers.writeUInt32LE(7, 68);
  headers.writeBigUInt64LE(BigInt(CODE_AT), 80);
  headers.writeBigUInt64LE(BigInt(CODE_AT), 88);
  headers.writeBigUInt64LE(BigInt(file.length), 96);
  headers.writeBigUInt64LE(BigInt(AREA_AT + AREA_BYTES - CODE_AT), 104);
  headers.writeBigUInt64LE(4096n, 112);
  headers.copy(file);
  return file;
}

const HEADER_BYTES = 8;
const CALL_BYTES = 64;
const RESULT_AT = 56;
/** At the end, so that no message ends in what may begin the agent's last line. */
const PADDING_BYTES = 8;

/** A message for the program, and how its answer, of the same length, is read. */
export interface CallMessage {
  bytes: Buffer;
  read(answer: Buffer): KernelAnswer[];
}

/**
 * Length and number of calls; then for each its number, where its first argument stands (or 0), six arguments, the result;
 * then what their addresses point to.
 * @throws RangeError for more than fits
 */
export function callMessage(calls: readonly KernelCall[]): CallMessage {
  let length = HEADER_BYTES + calls.length * CALL_BYTES;
  const parts = calls.map(({ args }) =>
    args.map((argument) => {
      if (!(argument instanceof Uint8Array)) return null;
      const at = length;
      length += (argument.length + 7) & ~7;
      return { at, argument };
    }),
  );
  length += PADDING_BYTES;
  if (length > AREA_BYTES) throw new RangeError(`a message of ${length} bytes`);
  const bytes = Buffer.alloc(length);
  bytes.writeUInt32LE(length, 0);
  bytes.writeUInt32LE(calls.length, 4);
  calls.forEach(({ number, args }, i) => {
    const at = HEADER_BYTES + i * CALL_BYTES;
    bytes.writeUInt32LE(number, at);
    args.forEach((argument, place) => {
      const part = parts[i]?.[place] ?? null;
      const slot = at + 8 + place * 8;
      if (part !== null) {
        bytes.set(part.argument, part.at);
        bytes.writeBigInt64LE(BigInt(AREA_AT + part.at), slot);
      } else if (typeof argument === "number") bytes.writeBigInt64LE(BigInt(argument), slot);
      else if ("resultOf" in argument && place === 0) {
        bytes.writeUInt32LE(AREA_AT + HEADER_BYTES + argument.resultOf * CALL_BYTES + RESULT_AT, at + 4);
      } else throw new Error("only a call's first argument may be the result of another");
    });
  });
  return {
    bytes,
    read: (answer) =>
      calls.map((_, i) => ({
        result: Number(answer.readBigInt64LE(HEADER_BYTES + i * CALL_BYTES + RESULT_AT)),
        bytes: (parts[i] ?? []).flatMap((part) =>
          part === null ? [] : [answer.subarray(part.at, part.at + part.argument.length)],
        ),
      })),
  };
}
