import { constants } from "node:os";
import { expect, test } from "vitest";
import { kindOfErrno, kindOfErrorCode } from "./errno-kind.ts";

test.each([
  ["ECONNREFUSED", "refused"],
  ["ECONNRESET", "reset"],
  ["EPIPE", "reset"],
  ["ETIMEDOUT", "timeout"],
  ["EHOSTUNREACH", "unreachable"],
  ["ENETUNREACH", "unreachable"],
  ["EADDRNOTAVAIL", "no-port"],
  ["EMFILE", "no-descriptor"],
  ["ENFILE", "no-descriptor"],
] as const)("%s is %s, by name and by number", (code, kind) => {
  expect(kindOfErrorCode(code)).toBe(kind);
  expect(kindOfErrno(constants.errno[code])).toBe(kind);
});

test("an error that no network explains is a bug, and named", () => {
  expect(() => kindOfErrno(constants.errno.EBADF)).toThrow("EBADF");
  expect(() => kindOfErrno(99_999)).toThrow("99999");
});
