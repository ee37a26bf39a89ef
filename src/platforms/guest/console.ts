import type { Host } from "../../host/host.ts";

/** Of the guest's console, in messages. */
const LINES = 12;

const MOST_CHARACTERS = 65_536;
const LONGEST_LINE = 300;

/** What guest/main says when its agent is there. */
export const UP = "cloison: the guest is up";

/** What each agent of a guest of Xen's says that was put back, once it can be spoken to. */
export const AGAIN = "cloison: the agent listens again";

/** What ended a guest, in its own words, which are only that; null: it does not say. */
export function endByConsole(console: readonly string[]): string | null {
  const panic = console.find((line) => line.includes("Kernel panic"));
  if (panic !== undefined) return `its kernel panicked: ${panic.slice(panic.indexOf("Kernel panic"))}`;
  const own = console.findLast((line) => line.startsWith("cloison: "))?.slice("cloison: ".length);
  if (own?.startsWith("the services have ended") === true) return own;
  if (own?.startsWith("the guest is told to go") === true) return "it was shut down";
  if (own?.startsWith("the guest cannot start") === true) return own;
  return null;
}

/** The end of a guest's console, for messages; empty: it has said nothing. */
export async function consoleTail(host: Host, file: string): Promise<string> {
  return (await linesOf(host, file)).slice(-LINES).join("\n");
}

/** The last lines of a file, without what must not reach the user's terminal: control characters of a guest's. */
export async function linesOf(host: Host, file: string): Promise<string[]> {
  const text = (await host.files.readTextIfExists(file)) ?? "";
  return (
    text
      .slice(-MOST_CHARACTERS)
      .split("\n")
      // oxlint-disable-next-line no-control-regex -- these are what is removed
      .map((line) => line.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, "").slice(0, LONGEST_LINE))
      .filter((line) => line !== "")
  );
}
