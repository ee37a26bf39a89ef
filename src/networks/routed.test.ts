import { describe, expect, test } from "vitest";
import { companyLan } from "./company-lan.ts";
import { besides, guest, LAN, lines, WHERE } from "./fixture.ts";
import { mergeNetworkStates } from "./merge.ts";
import { routedNetwork } from "./routed.ts";

const ONE = guest("one", 1, "10.23.0.11");
const TWO = guest("two", 2, "10.23.0.12");

describe("routed mode", () => {
  const network = { ...WHERE, device: "eth0", host: { address: "10.23.0.250" }, mtu: 1500 };

  test("a link and a route for each guest, and the host answers ARP for just these on the LAN", () => {
    expect(lines(routedNetwork({ ...network, vifs: [ONE, TWO] }))).toMatchInlineSnapshot(`
      [
        "host vif1.0 veth fe:ff:ff:ff:ff:ff to one/eth0",
        "host vif2.0 veth fe:ff:ff:ff:ff:ff to two/eth0",
        "host 10.23.0.250/32 on vif1.0",
        "host 10.23.0.250/32 on vif2.0",
        "host 10.23.0.11/32 dev vif1.0",
        "host 10.23.0.12/32 dev vif2.0",
        "host answers ARP for 10.23.0.11 on eth0",
        "host answers ARP for 10.23.0.12 on eth0",
        "host net.ipv4.ip_forward=1",
        "host net.ipv4.conf.all.send_redirects=0",
        "host net.ipv4.conf.default.send_redirects=0",
        "host net.ipv4.conf.all.rp_filter=0",
        "host net.ipv4.conf.default.rp_filter=0",
        "host net.ipv4.conf.eth0.send_redirects=0",
        "host net.ipv4.neigh.eth0.proxy_delay=0",
        "host net.ipv4.conf.vif1/0.send_redirects=0",
        "host net.ipv4.conf.vif2/0.send_redirects=0",
        "host inet cloison-guard @vifs one vif1.0, two vif2.0",
        "host inet cloison-guard @macs one vif1.0 . 00:16:3e:00:01:01, two vif2.0 . 00:16:3e:00:01:02",
        "host inet cloison-guard @addresses one vif1.0 . 10.23.0.11, two vif2.0 . 10.23.0.12",
        "host inet cloison-guard @addresses6 ",
        "host inet cloison-guard prerouting: filter prerouting -300 accept",
        "host inet cloison-guard prerouting: iifname != @vifs accept",
        "host inet cloison-guard prerouting: iifname . ether saddr != @macs drop",
        "host inet cloison-guard prerouting: iifname . ip saddr != @addresses drop",
        "host inet cloison-guard prerouting: ip6 saddr fe80::/10 icmpv6 type {nd-router-solicit,nd-neighbor-solicit,nd-neighbor-advert} accept",
        "host inet cloison-guard prerouting: ip6 saddr :: icmpv6 type {nd-router-solicit,nd-neighbor-solicit,nd-neighbor-advert} accept",
        "host inet cloison-guard prerouting: iifname . ip6 saddr != @addresses6 drop",
        "host arp cloison-guard @vifs one vif1.0, two vif2.0",
        "host arp cloison-guard @macs one vif1.0 . 00:16:3e:00:01:01, two vif2.0 . 00:16:3e:00:01:02",
        "host arp cloison-guard @addresses one vif1.0 . 10.23.0.11, two vif2.0 . 10.23.0.12",
        "host arp cloison-guard input: filter input 0 accept",
        "host arp cloison-guard input: iifname != @vifs accept",
        "host arp cloison-guard input: iifname . arp saddr ether != @macs drop",
        "host arp cloison-guard input: arp saddr ip 0.0.0.0 accept",
        "host arp cloison-guard input: iifname . arp saddr ip != @addresses drop",
        "one eth0 veth 00:16:3e:00:01:01 to host/vif1.0",
        "one 10.23.0.11/32 on eth0",
        "one default via 10.23.0.250 dev eth0 onlink",
        "two eth0 veth 00:16:3e:00:01:02 to host/vif2.0",
        "two 10.23.0.12/32 on eth0",
        "two default via 10.23.0.250 dev eth0 onlink",
      ]
    `);
  });

  test("does the same with neighbour discovery", () => {
    const four = lines(routedNetwork({ ...network, vifs: [ONE] }));
    const both = routedNetwork({
      ...network,
      host: { address: "10.23.0.250", address6: "fd00::fa" },
      vifs: [{ ...ONE, address6: "fd00::b" }],
    });
    expect(besides(lines(both), four)).toMatchInlineSnapshot(`
      [
        "host fd00::fa/128 on vif1.0",
        "host fd00::b/128 dev vif1.0",
        "host answers ARP for fd00::b on eth0",
        "host net.ipv6.conf.all.disable_ipv6=0",
        "host net.ipv6.conf.all.accept_dad=0",
        "host net.ipv6.conf.default.accept_dad=0",
        "host net.ipv6.conf.all.forwarding=1",
        "host net.ipv6.conf.eth0.proxy_ndp=1",
        "host net.ipv6.neigh.eth0.proxy_delay=0",
        "host inet cloison-guard @addresses6 one vif1.0 . fd00::b",
        "one fd00::b/128 on eth0",
        "one ::/0 via fd00::fa dev eth0 onlink",
        "one net.ipv6.conf.all.disable_ipv6=0",
        "one net.ipv6.conf.all.accept_dad=0",
        "one net.ipv6.conf.default.accept_dad=0",
      ]
    `);
  });

  test("lies in a bridged LAN as well: the host forwards, whatever the LAN's own part says", () => {
    const state = mergeNetworkStates([
      companyLan(LAN, true),
      routedNetwork({ ...network, device: "xenbr0", vifs: [ONE] }),
    ]);
    expect(state["l.host"]?.sysctls["net.ipv4.ip_forward"]).toBe("1");
    expect(state["l.host"]?.neighbours).toEqual([{ link: "xenbr0", address: "10.23.0.11", mac: null, proxy: true }]);
  });
});
