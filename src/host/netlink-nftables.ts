import { decodeAcknowledgement, requestError } from "./netlink-error.ts";
import {
  MessageWriter,
  NLM_F_DUMP,
  NLM_F_REQUEST,
  NLMSG_DONE,
  NLMSG_ERROR,
  readAttributes,
  readMessages,
  readText,
} from "./netlink-message.ts";
import { NETLINK_NETFILTER, openNetlinkTransport, type NetlinkTransport } from "./netlink-transport.ts";

/** linux/netfilter/nfnetlink.h and nf_tables.h */
const NFNL_SUBSYS_NFTABLES = 10;
const NFT_MSG_NEWTABLE = 0;
const NFT_MSG_GETTABLE = 1;
const NFTA_TABLE_NAME = 1;

/** NFPROTO_* as nft names them. */
const FAMILIES: Record<number, string> = { 1: "inet", 2: "ip", 3: "arp", 5: "netdev", 7: "bridge", 10: "ip6" };

/**
 * Tables of nftables in the network namespace that the calling thread is in, as `family name`. Much cheaper than running
 * nft, so that namespaces without tables cost nothing. A kernel without nftables has none.
 */
export function listNftTables(transport: NetlinkTransport = openNetlinkTransport(NETLINK_NETFILTER)): string[] {
  try {
    const out = new MessageWriter();
    out.begin((NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETTABLE, NLM_F_REQUEST | NLM_F_DUMP, 1);
    out.u32(0);
    out.end();
    transport.send(out.bytes());
    const tables: string[] = [];
    for (;;) {
      for (const { type, flags, payload } of readMessages(transport.receive())) {
        if (type === NLMSG_DONE) return tables;
        if (type === NLMSG_ERROR) {
          const answer = decodeAcknowledgement(flags, payload);
          // What nfnetlink answers for a subsystem that is neither built in nor loadable.
          if (answer.code === "EINVAL" || answer.code === "ENOTSUP") return [];
          throw requestError("listing nftables' tables", answer, 0);
        }
        if (type !== ((NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_NEWTABLE)) continue;
        const name = readAttributes(payload, 4).get(NFTA_TABLE_NAME);
        const family = FAMILIES[payload.readUInt8(0)];
        if (name !== undefined && family !== undefined) tables.push(`${family} ${readText(name)}`);
      }
    }
  } finally {
    transport.close();
  }
}
