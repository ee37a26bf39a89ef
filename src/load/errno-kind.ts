import { constants } from "node:os";
import type { ErrorKind } from "../model/samples.ts";

const KINDS: Record<string, ErrorKind> = {
  ECONNREFUSED: "refused",
  ECONNRESET: "reset",
  ECONNABORTED: "reset",
  EPIPE: "reset",
  ENOTCONN: "reset",
  ETIMEDOUT: "timeout",
  EHOSTUNREACH: "unreachable",
  EHOSTDOWN: "unreachable",
  ENETUNREACH: "unreachable",
  ENETDOWN: "unreachable",
  ENOPROTOOPT: "unreachable",
  EACCES: "unreachable",
  EPERM: "unreachable",
  EADDRNOTAVAIL: "no-port",
  EADDRINUSE: "no-port",
  EMFILE: "no-descriptor",
  ENFILE: "no-descriptor",
  ENOBUFS: "no-descriptor",
  ENOMEM: "no-descriptor",
};

const NAMES = new Map(Object.entries(constants.errno).map(([name, number]) => [number, name]));

/** What an errno name of a socket means to a request. Throws for one that no network condition explains: a bug. */
export function kindOfErrorCode(code: string): ErrorKind {
  const kind = KINDS[code];
  if (kind === undefined) throw new Error(`a socket failed with ${code}`);
  return kind;
}

/** As `kindOfErrorCode`, from errno's number. */
export function kindOfErrno(errno: number): ErrorKind {
  return kindOfErrorCode(NAMES.get(errno) ?? `errno ${errno}`);
}
