import type { HttpJob } from "./load.ts";

/** The bytes of a job's request; all its requests are alike. */
export function requestBytes(job: Pick<HttpJob, "host" | "path" | "keepAlive">): Uint8Array {
  const connection = job.keepAlive ? "keep-alive" : "close";
  return Buffer.from(
    `GET ${job.path} HTTP/1.1\r\nHost: ${job.host}\r\nUser-Agent: cloison\r\nAccept: */*\r\nConnection: ${connection}\r\n\r\n`,
    "latin1",
  );
}
