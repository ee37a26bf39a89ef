/** RFC 1035, section 4.1. */
const HEADER_BYTES = 12;
const TYPES: Readonly<Record<number, string>> = {
  1: "A",
  2: "NS",
  5: "CNAME",
  6: "SOA",
  12: "PTR",
  15: "MX",
  16: "TXT",
  28: "AAAA",
  33: "SRV",
};
const CODES = ["", "format error", "server failure", "no such name", "not implemented", "refused"];

/** The question of a DNS message, and how it was answered; null: cut off before its end, or none. */
export function dnsText(data: Uint8Array): string | null {
  if (data.length < HEADER_BYTES || data[4] !== 0 || data[5] !== 1) return null;
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (let length = data[at] ?? 0; length > 0; length = data[at] ?? 0) {
    // The first name of a message cannot be a pointer to an earlier one.
    if (length > 63 || at + 1 + length > data.length) return null;
    labels.push(printable(data.subarray(at + 1, at + 1 + length)));
    at += 1 + length;
  }
  if (at + 3 > data.length) return null;
  const type = ((data[at + 1] ?? 0) << 8) | (data[at + 2] ?? 0);
  const question = `${TYPES[type] ?? `type ${type}`} ${labels.join(".") || "."}`;
  if (((data[2] ?? 0) & 0x80) === 0) return `DNS query ${question}`;
  const code = (data[3] ?? 0) & 15;
  const answers = ((data[6] ?? 0) << 8) | (data[7] ?? 0);
  return `DNS answer ${question}: ${code === 0 ? `${answers} records` : (CODES[code] ?? `code ${code}`)}`;
}

/** A frame is somebody else's text: nothing of it may steer a terminal. */
function printable(bytes: Uint8Array): string {
  return [...bytes].map((byte) => (byte > 32 && byte < 127 ? String.fromCharCode(byte) : "·")).join("");
}
