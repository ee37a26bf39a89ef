import { numbers } from "./datatype.ts";

export const PROTOCOL_NUMBERS = { icmp: 1, tcp: 6, udp: 17, icmpv6: 58 };
export const PROTOCOL = numbers({
  ...PROTOCOL_NUMBERS,
  "ipv6-icmp": 58,
  udplite: 136,
  sctp: 132,
  dccp: 33,
  gre: 47,
  esp: 50,
  ah: 51,
  igmp: 2,
});
export const ETHER_TYPE = numbers({
  ip: 0x0800,
  arp: 0x0806,
  ip6: 0x86dd,
  vlan: 0x8100,
  "8021q": 0x8100,
  "8021ad": 0x88a8,
});
export const PACKET_TYPE = numbers({ host: 0, unicast: 0, broadcast: 1, multicast: 2, other: 3 });
export const NUMBER = numbers();
export const CT_STATE = numbers({ invalid: 1, established: 2, related: 4, new: 8, untracked: 64 }, true);
export const CT_STATUS = numbers(
  { expected: 1, "seen-reply": 2, assured: 4, confirmed: 8, snat: 16, dnat: 32, dying: 512 },
  true,
);
export const TCP_FLAG = numbers({ fin: 1, syn: 2, rst: 4, psh: 8, ack: 16, urg: 32, ecn: 64, cwr: 128 }, true);
export const ARP_OPERATION = numbers({
  request: 1,
  reply: 2,
  rrequest: 3,
  rreply: 4,
  inrequest: 8,
  inreply: 9,
  nak: 10,
});
export const ICMP_TYPE = numbers({
  "echo-reply": 0,
  "destination-unreachable": 3,
  "source-quench": 4,
  redirect: 5,
  "echo-request": 8,
  "router-advertisement": 9,
  "router-solicitation": 10,
  "time-exceeded": 11,
  "parameter-problem": 12,
});
export const ICMPV6_TYPE = numbers({
  "destination-unreachable": 1,
  "packet-too-big": 2,
  "time-exceeded": 3,
  "parameter-problem": 4,
  "echo-request": 128,
  "echo-reply": 129,
  "mld-listener-query": 130,
  "mld-listener-report": 131,
  "mld-listener-done": 132,
  "nd-router-solicit": 133,
  "nd-router-advert": 134,
  "nd-neighbor-solicit": 135,
  "nd-neighbor-advert": 136,
  "nd-redirect": 137,
  "mld2-listener-report": 143,
});
export const FAMILY = numbers({ ipv4: 2, ipv6: 10 });
export const DIRECTION = numbers({ original: 0, reply: 1 });

export const FIB_TYPE = numbers({
  unspec: 0,
  unicast: 1,
  local: 2,
  broadcast: 3,
  anycast: 4,
  multicast: 5,
  blackhole: 6,
  unreachable: 7,
  prohibit: 8,
});
