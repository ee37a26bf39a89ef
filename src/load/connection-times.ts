/**
 * How long a connection may wait for the server's FIN behind the last answer. Whoever closes first keeps the port in
 * TIME_WAIT for a minute; ours would run out at 500 connections a second.
 */
export const FIN_WAIT_MS = 1000;

/**
 * A kept connection that the server has given up meanwhile answers a request with its end, within a round trip. The
 * request then goes to a new connection, once, as any HTTP client does (RFC 9112 §9.3.1); its clock runs on.
 */
export const STALE_NS = 1e9;
