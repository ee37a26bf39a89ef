import { expect, test } from "vitest";
import { sightOf } from "./sight.ts";

const finished = { code: 255, signal: null, stdout: "", stderr: "", timedOut: false };
const LIFE = "5b0f1a52-9d0b-4c0e-8a33-1f6c3a9b7e10 4711";

test("a host that answers says which of its lives it is in", () => {
  expect(sightOf({ ...finished, code: 0, stdout: `${LIFE}\n` })).toEqual({ is: "there", life: LIFE });
});

test.each([
  "ssh: connect to host lab2 port 22: Connection timed out\r\n",
  "Warning: something\nssh: connect to host 10.0.0.2 port 22: No route to host",
])("nobody answers: %s", (stderr) => {
  expect(sightOf({ ...finished, stderr })).toEqual({ is: "silent" });
});

test.each([
  ["a kernel that refuses is there", "ssh: connect to host lab2 port 22: Connection refused"],
  ["one whose sshd hangs, too", "Connection timed out during banner exchange"],
  ["another key is somebody's", "Host key verification failed."],
  ["a jump host may be what is missing", "kex_exchange_identification: Connection closed by remote host"],
  [
    "without a network of its own this machine knows nothing",
    "ssh: connect to host lab2 port 22: Network is unreachable",
  ],
  ["nor without names", "ssh: Could not resolve hostname lab2: Temporary failure in name resolution"],
])("%s", (_, stderr) => {
  expect(sightOf({ ...finished, stderr })).toEqual({ is: "unclear", detail: stderr });
});

test("one that lets nobody run anything is not silent", () => {
  expect(sightOf({ ...finished, code: 0, stdout: "welcome\n" })).toMatchObject({ is: "unclear" });
  expect(sightOf({ ...finished, code: null, timedOut: true })).toMatchObject({ is: "unclear" });
});
