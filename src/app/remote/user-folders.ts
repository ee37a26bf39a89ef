import { join } from "node:path";
import { RecordedLabs } from "../../remote/recorded.ts";
import type { AppContext } from "../context.ts";

/** The labs that this user has on other hosts. They are the user's, as keys are: no root is needed here. */
export function recordedLabs(app: AppContext): RecordedLabs {
  return new RecordedLabs(app.host, join(userState(app), "remote-labs"));
}

/** Where the sockets of connections are. */
export function connectionFolder(app: AppContext): string {
  const runtime = app.environment["XDG_RUNTIME_DIR"];
  return runtime?.startsWith("/") ? join(runtime, "cloison") : join(userState(app), "ssh");
}

/** XDG Base Directory Specification, unless CLOISON_STATE has moved everything. */
function userState({ environment, paths }: AppContext): string {
  if (environment["CLOISON_STATE"] !== undefined) return paths.state;
  const state = environment["XDG_STATE_HOME"];
  // A relative path is to be ignored, says the specification.
  return join(state?.startsWith("/") ? state : join(environment["HOME"] ?? "/root", ".local/state"), "cloison");
}
