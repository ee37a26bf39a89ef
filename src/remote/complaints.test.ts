import { describe, expect, test } from "vitest";
import { connectionError, sendingError } from "./complaints.ts";

describe("what ssh complains of", () => {
  test.each([
    [
      "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.",
      /not the one that is known/,
    ],
    ["No ED25519 host key is known for h and you have requested strict checking.", /not known here/],
    ["root@h: Permission denied (publickey).", /does not let you in/],
    ["ssh: Could not resolve hostname h: Name or service not known", /nothing is known by this name/],
    ["ssh: connect to host h port 22: Connection refused", /can't be reached: ssh: connect to host h port 22: Conn/],
    ["", /ssh does not say why/],
  ])("%s", (said, means) => {
    const error = connectionError("ssh://h", "h", said);
    expect(error.message).toMatch(/^ssh:\/\/h/);
    expect(error.message).toMatch(means);
    expect(error.exit).toBe(3);
  });

  test("a full disk is told apart from what else is in the way", () => {
    expect(sendingError("ssh://h", "/c", "tar: x: Cannot write: No space left on device").message).toContain("no room");
    expect(sendingError("ssh://h", "/c", "mkdir: Read-only file system").message).toContain("Read-only file system");
  });
});
