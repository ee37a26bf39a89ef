import { describe, expect, test } from "vitest";
import { bridgeNetwork } from "./bridge.ts";
import { besides, guest, LAN, lines } from "./fixture.ts";

const ONE = guest("one", 1, "10.23.0.11");
const TWO = guest("two", 2, "10.23.0.12");

describe("bridge mode, as a lab file can have it", () => {
  test("guards what enters through the vifs, over sets; domains that are not guarded may send anything", () => {
    const { guarded: _, ...free } = TWO;
    const said = lines(bridgeNetwork({ ...LAN, vifs: [ONE, free] })).filter((line) => line.includes("cloison-guard"));
    expect(said).toMatchInlineSnapshot(`
      [
        "host bridge cloison-guard @vifs one vif1.0",
        "host bridge cloison-guard @macs one vif1.0 . 00:16:3e:00:01:01",
        "host bridge cloison-guard @addresses one vif1.0 . 10.23.0.11",
        "host bridge cloison-guard @addresses6 ",
        "host bridge cloison-guard prerouting: filter prerouting -200 accept",
        "host bridge cloison-guard prerouting: iifname != @vifs accept",
        "host bridge cloison-guard prerouting: iifname . ether saddr != @macs drop",
        "host bridge cloison-guard prerouting: iifname . arp saddr ether != @macs drop",
        "host bridge cloison-guard prerouting: arp saddr ip 0.0.0.0 accept",
        "host bridge cloison-guard prerouting: iifname . arp saddr ip != @addresses drop",
        "host bridge cloison-guard prerouting: ip saddr 0.0.0.0 udp sport 68 udp dport 67 accept",
        "host bridge cloison-guard prerouting: iifname . ip saddr != @addresses drop",
        "host bridge cloison-guard prerouting: ip6 saddr fe80::/10 icmpv6 type {nd-router-solicit,nd-neighbor-solicit,nd-neighbor-advert} accept",
        "host bridge cloison-guard prerouting: ip6 saddr :: icmpv6 type {nd-router-solicit,nd-neighbor-solicit,nd-neighbor-advert} accept",
        "host bridge cloison-guard prerouting: iifname . ip6 saddr != @addresses6 drop",
        "host bridge cloison-guard prerouting: protocol != {ip,arp,ip6} drop",
      ]
    `);
    expect(lines(bridgeNetwork({ ...LAN, vifs: [free] })).join()).not.toContain("cloison-guard");
  });

  test("a host that has no part in the LAN has no address there, and answers for none of its others", () => {
    const said = lines(bridgeNetwork({ ...LAN, host: { address: null, mac: "00:16:3e:00:00:02" }, vifs: [] }));
    expect(said.filter((line) => line.startsWith("host"))).toMatchInlineSnapshot(`
      [
        "host xenbr0 bridge 00:16:3e:00:00:02",
        "host eth0 veth 00:16:3e:00:00:02 in xenbr0 to lan/uplink0",
        "host net.bridge.bridge-nf-call-iptables=0",
        "host net.ipv4.ip_forward=0",
        "host net.ipv6.conf.xenbr0.disable_ipv6=1",
        "host inet cloison-host @closed xenbr0",
        "host inet cloison-host input: filter input 0 accept",
        "host inet cloison-host input: iifname @closed drop",
        "host inet cloison-host isolation: filter forward -10 accept",
        "host inet cloison-host isolation: iifname @closed drop",
        "host arp cloison-host @closed xenbr0",
        "host arp cloison-host input: filter input 0 accept",
        "host arp cloison-host input: iifname @closed drop",
      ]
    `);
  });

  test("speaks IPv6 beside IPv4 where the LAN has some", () => {
    const six = {
      ...LAN,
      prefix6: 64,
      gateway: { ...LAN.gateway, address6: "fd00::1" },
      host: { ...LAN.host, address6: "fd00::fa" },
    };
    const said = lines(bridgeNetwork({ ...six, vifs: [{ ...ONE, address6: "fd00::b" }] }));
    expect(besides(said, lines(bridgeNetwork({ ...LAN, vifs: [ONE] })))).toMatchInlineSnapshot(`
      [
        "lan fd00::1/64 on lan0",
        "lan net.ipv6.conf.all.disable_ipv6=0",
        "lan net.ipv6.conf.all.accept_dad=0",
        "lan net.ipv6.conf.default.accept_dad=0",
        "lan net.ipv6.conf.all.forwarding=1",
        "host fd00::fa/64 on xenbr0",
        "host ::/0 via fd00::1 dev xenbr0",
        "host net.ipv6.conf.all.disable_ipv6=0",
        "host net.ipv6.conf.all.accept_dad=0",
        "host net.ipv6.conf.default.accept_dad=0",
        "host bridge cloison-guard @addresses6 one vif1.0 . fd00::b",
        "one fd00::b/64 on eth0",
        "one ::/0 via fd00::1 dev eth0",
        "one net.ipv6.conf.all.disable_ipv6=0",
        "one net.ipv6.conf.all.accept_dad=0",
        "one net.ipv6.conf.default.accept_dad=0",
      ]
    `);
  });
});
