import type { Host } from "../../host/host.ts";
import { endByConsole, linesOf } from "../guest/console.ts";

/**
 * What ended a guest whose QEMU is gone, or keeps one from coming up, by what both have left; the guest's own words are only
 * that.
 */
export async function describeEnd(host: Host, paths: { console: string; emulatorLog: string }): Promise<string> {
  const console = await linesOf(host, paths.console);
  const told = endByConsole(console);
  if (told !== null) return told;
  const emulator = await linesOf(host, paths.emulatorLog);
  const complaint = emulator.findLast((line) => line.startsWith("qemu-system") && !line.includes("warning:"));
  const code = emulator.map((line) => /^ended with (\d+)$/.exec(line)?.[1]).findLast((found) => found !== undefined);
  if (code === "0") {
    return console.length === 0
      ? "its kernel reset it before it said anything, as one does that has too little memory"
      : "it was reset, or switched itself off";
  }
  if (complaint?.includes("Assertion") === true) return `QEMU has a fault: ${complaint}`;
  if (code === undefined || Number(code) > 128) {
    return "its QEMU was killed, by the kernel for want of memory or by somebody";
  }
  return `QEMU ended with ${code}${complaint === undefined ? "" : `: ${complaint}`}`;
}
