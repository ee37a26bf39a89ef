import type { Host } from "../../host/host.ts";
import type { GuestPaths } from "./guest-paths.ts";

/** Of the guest's console, in messages. */
const LINES = 12;

/**
 * What ended a guest whose QEMU is gone, or keeps one from coming up, by what both have left; the guest's own words are only
 * that.
 */
export async function describeEnd(host: Host, paths: GuestPaths): Promise<string> {
  const console = await linesOf(host, paths.console);
  const emulator = await linesOf(host, paths.emulatorLog);
  const panic = console.find((line) => line.includes("Kernel panic"));
  if (panic !== undefined) return `its kernel panicked: ${panic.slice(panic.indexOf("Kernel panic"))}`;
  const own = console.findLast((line) => line.startsWith("cloison: "))?.slice("cloison: ".length);
  if (own?.startsWith("the services have ended") === true) return own;
  if (own?.startsWith("the guest is told to go") === true) return "it was shut down";
  if (own?.startsWith("the guest cannot start") === true) return own;
  const code = emulator.map((line) => /^ended with (\d+)$/.exec(line)?.[1]).findLast((found) => found !== undefined);
  if (code === "0") {
    return console.length === 0
      ? "its kernel reset it before it said anything, as one does that has too little memory"
      : "it was reset, or switched itself off";
  }
  if (code === undefined || Number(code) > 128) {
    return "its QEMU was killed, by the kernel for want of memory or by somebody";
  }
  const complaint = emulator.findLast((line) => line.startsWith("qemu-system") && !line.includes("warning:"));
  return `QEMU ended with ${code}${complaint === undefined ? "" : `: ${complaint}`}`;
}

/** The end of a guest's console, for messages; empty: it has said nothing. */
export async function consoleTail(host: Host, paths: GuestPaths): Promise<string> {
  return (await linesOf(host, paths.console)).slice(-LINES).join("\n");
}

async function linesOf(host: Host, file: string): Promise<string[]> {
  const text = (await host.files.readTextIfExists(file)) ?? "";
  // Control characters of a guest's must not reach the user's terminal.
  return (
    text
      .slice(-MOST_CHARACTERS)
      .split("\n")
      // oxlint-disable-next-line no-control-regex -- these are what is removed
      .map((line) => line.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, "").slice(0, LONGEST_LINE))
      .filter((line) => line !== "")
  );
}

const MOST_CHARACTERS = 65_536;
const LONGEST_LINE = 300;
