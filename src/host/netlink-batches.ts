import type { NetlinkRequest } from "./netlink-request.ts";

/** Requests that go to the kernel in one datagram. Bounded, so that their answers fit into the socket's buffer. */
const BATCH_REQUESTS = 128;

/** Requests by the datagrams in which they go. */
export function batches(requests: readonly NetlinkRequest[]): (readonly NetlinkRequest[])[] {
  const count = Math.ceil(requests.length / BATCH_REQUESTS);
  return Array.from({ length: count }, (_, i) => requests.slice(i * BATCH_REQUESTS, (i + 1) * BATCH_REQUESTS));
}
