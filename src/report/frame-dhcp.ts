/** RFC 2131: BOOTP's fixed part, a magic cookie, then options; RFC 2132 numbers them. */
const COOKIE_AT = 236;
const COOKIE = [99, 130, 83, 99];
const MESSAGE_TYPE = 53;
const REQUESTED_ADDRESS = 50;
const PAD = 0;
const END = 255;
const TYPES = ["", "discover", "offer", "request", "decline", "ack", "nak", "release", "inform"];

/** What a DHCP message says; null: it is none. */
export function dhcpText(data: Uint8Array): string | null {
  if (!COOKIE.every((byte, i) => data[COOKIE_AT + i] === byte)) return null;
  const options = readOptions(data.subarray(COOKIE_AT + COOKIE.length));
  const type = TYPES[options.get(MESSAGE_TYPE)?.[0] ?? 0] ?? "";
  const client = [...data.subarray(28, 34)].map((byte) => byte.toString(16).padStart(2, "0")).join(":");
  const yours = data.subarray(16, 20);
  const wanted = yours.some((byte) => byte !== 0) ? yours : options.get(REQUESTED_ADDRESS);
  return `DHCP ${type || "message"} of ${client}${wanted === undefined ? "" : ` ${[...wanted].join(".")}`}`;
}

function readOptions(bytes: Uint8Array): Map<number, Uint8Array> {
  const options = new Map<number, Uint8Array>();
  for (let at = 0; at < bytes.length;) {
    const code = bytes[at] ?? END;
    if (code === END) break;
    if (code === PAD) {
      at++;
      continue;
    }
    const length = bytes[at + 1] ?? 0;
    options.set(code, bytes.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return options;
}
