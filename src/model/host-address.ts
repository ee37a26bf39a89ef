import * as z from "zod";

/** Another machine, as a lab file and `--host` name it. Its name may be one of the user's ssh configuration. */
export interface HostAddress {
  /** null: as ssh decides. */
  user: string | null;
  name: string;
  port: number | null;
}

/** Nothing in it may look like an option to ssh, or mean something to a shell. */
const SSH_ADDRESS =
  /^ssh:\/\/(?:(?<user>[a-z_][\w.-]*)@)?(?:(?<name>\w[\w.-]*)|\[(?<ipv6>[0-9a-f:]+)\])(?::(?<port>\d{1,5}))?\/?$/i;

export const hostAddressSchema = z
  .string()
  .regex(SSH_ADDRESS, "is no host: write ssh://name, ssh://user@name or ssh://user@name:port");

/** What an address says; null: it is none. */
export function parseHostAddress(text: string): HostAddress | null {
  const { user, name, ipv6, port } = SSH_ADDRESS.exec(text)?.groups ?? {};
  const host = name ?? ipv6;
  return host === undefined ? null : { user: user ?? null, name: host, port: port === undefined ? null : Number(port) };
}
