import { expect, test } from "vitest";
import { frameLine } from "./frame-line.ts";

const ETHERNET = "00163e77000b00163e77000a";
const line = (hex: string) => {
  const bytes = Buffer.from(hex.replaceAll(/\s/g, ""), "hex");
  return frameLine(bytes, { timeNs: 1_767_225_600_123_456_789n, length: bytes.length });
};
const MACS = "00:00:00.123456 00:16:3e:77:00:0a → 00:16:3e:77:00:0b";

test("ARP asks and tells", () => {
  const arp = (operation: string) =>
    line(`${ETHERNET} 0806 0001080006040${operation} 00163e77000a 0a4d0102 000000000000 0a4d0103`);
  expect(arp("001")).toBe(`${MACS} ARP who has 10.77.1.3? tell 10.77.1.2`);
  expect(arp("002")).toBe(`${MACS} ARP 10.77.1.2 is at 00:16:3e:77:00:0a`);
});

test("a tagged SYN, with ports", () => {
  const syn = `${ETHERNET} 8100 000a 0800
    4500 003c 0001 4000 4006 0000 0a4d0102 0a4d0103  d1e2 0050 00000007 00000000 a002 faf0 0000 0000`;
  expect(line(syn)).toBe(`${MACS} vlan 10 10.77.1.2:53730 → 10.77.1.3:80 TCP SYN seq 7 (ttl 64, 60 bytes, DF)`);
});

test("an error says what it is about", () => {
  const error = `${ETHERNET} 0800
    4500 0038 0002 0000 4001 0000 0a4d0101 0a4d0102  030d 0000 00000000
    4500 003c 0001 4000 3f06 0000 0a4d0102 0a4d0202  d1e2 0050 01020304`;
  expect(line(error)).toBe(
    `${MACS} 10.77.1.1 → 10.77.1.2 ICMP unreachable (prohibited) about 10.77.1.2 → 10.77.2.2 (ttl 64, 56 bytes)`,
  );
});

test("IPv6 neighbours", () => {
  const solicitation = `${ETHERNET} 86dd 6000 0000 0018 3a ff fd000077000000000000000000000002
    ff0200000000000000000001ff000003  8700 1234 00000000 fd000077000000000000000000000003`;
  expect(line(solicitation)).toBe(
    `${MACS} fd00:77::2 → ff02::1:ff00:3 ICMPv6 neighbour solicitation of fd00:77::3 (hlim 255, 64 bytes)`,
  );
});

const udp = (ports: string, data: string) => {
  const length = (8 + data.replaceAll(/\s/g, "").length / 2).toString(16).padStart(4, "0");
  const total = (28 + data.replaceAll(/\s/g, "").length / 2).toString(16).padStart(4, "0");
  return line(`${ETHERNET} 0800 4500 ${total} 0001 0000 4011 0000 0a4d0102 0a4d0103 ${ports} ${length} 0000 ${data}`);
};

test("DNS: a query, an answer, a refusal; nobody's bytes steer the terminal", () => {
  const name = "03 776562 04 1b5b326a 00 0001 0001";
  expect(udp("d431 0035", `abcd 0100 0001 0000 0000 0000 ${name}`)).toContain(" DNS query A web.·[2j (");
  expect(udp("0035 d431", `abcd 8180 0001 0002 0000 0000 ${name}`)).toContain(" DNS answer A web.·[2j: 2 records (");
  expect(udp("0035 d431", `abcd 8185 0001 0000 0000 0000 ${name}`)).toContain(": refused (");
  expect(udp("0035 d431", "abcd")).toContain(" UDP 2 bytes of data (");
});

test("DHCP: who asks for what", () => {
  const fixed = `01010600 12345678 0000 0000 00000000 00000000 00000000 00000000 00163e77000a ${"00".repeat(202)}`;
  const request = `${fixed} 63825363 350103 3204 0a4d0102 ff`;
  expect(udp("0044 0043", request)).toContain(" DHCP request of 00:16:3e:77:00:0a 10.77.1.2 (");
});

test("what is not known is said so", () => {
  expect(line(`${ETHERNET} 88cc 0000`)).toBe(`${MACS} type 0x88cc, 16 bytes`);
  expect(line("0016")).toBe("00:00:00.123456 2 bytes, too short for Ethernet");
});
