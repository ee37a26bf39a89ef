import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ForeignKernel } from "../src/host/foreign-kernel.ts";
import { callMessage, callProgram } from "../src/platforms/guest/call-program.ts";

/** This machine's kernel, in one of its network namespaces, called by the program by which guests' kernels are. */
export function callFromNamespace(namespace: string): ForeignKernel {
  const folder = mkdtempSync(join(tmpdir(), "cloison-calls-"));
  const file = join(folder, "calls");
  writeFileSync(file, callProgram(), { mode: 0o700 });
  const child = spawn("nsenter", [`--net=/run/netns/${namespace}`, file], { stdio: ["pipe", "pipe", "inherit"] });
  const ended = new Promise((resolve) => child.once("close", resolve));
  let come = Buffer.alloc(0);
  let wake: () => void = () => undefined;
  child.stdout.on("data", (bytes: Buffer) => {
    come = Buffer.concat([come, bytes]);
    wake();
  });
  let last: Promise<unknown> = Promise.resolve();
  return {
    call(calls) {
      const { bytes, read } = callMessage(calls);
      const answer = last.then(async () => {
        child.stdin.write(bytes);
        while (come.length < bytes.length) await new Promise<void>((resolve) => (wake = resolve));
        const message = come.subarray(0, bytes.length);
        come = come.subarray(bytes.length);
        return read(message);
      });
      last = answer;
      return answer;
    },
    async close() {
      child.stdin.end();
      await ended;
      rmSync(folder, { recursive: true });
    },
  };
}
