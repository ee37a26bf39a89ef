import { expect, test } from "vitest";
import { chainsText } from "./chains-text.ts";
import { STATE } from "./fixture.ts";
import { interfacesText } from "./interfaces-text.ts";
import { routesText } from "./routes-text.ts";
import { stateText } from "./state-text.ts";

test("everything, an object a line", () => {
  expect(stateText(STATE)).toMatchInlineSnapshot(`
    "cloison.demo.host
      link lo loopback mtu 65536
      link eth0 veth mtu 1500 mac 00:16:3e:00:00:01 ~ uplink0 in cloison.demo.lan
        192.168.0.254/24
        2001:db8::1/64
      link natbr1 bridge mtu 1500 mac 00:16:3e:00:00:02
        10.0.0.1/24
      link vif1.0 veth mtu 1500 mac fe:ff:ff:ff:ff:ff ~ eth0 in cloison.demo.one rate 10 Mbit/s
      link vif2.0 veth down mtu 1400 mac fe:ff:ff:ff:ff:ff port of natbr1 isolated ~ eth0 in cloison.demo.two
      link eth1.2 vlan mtu 1500 802.1Q 2 of eth1
      route 192.168.0.1/32 dev vif1.0
      route default via 192.168.0.250 dev eth0
      route ::/0 via 2001:db8::2 dev eth0 onlink src 2001:db8::1
      neighbour 192.168.0.1 dev eth0 proxy
      switch ovsbr0
        port eth2 trunk 2,3
        port vif3.0 access 2 only from 00:16:3e:00:00:03 10.2.0.13
      sysctl net.ipv4.ip_forward = 1
      table inet cloison-nat {
        set inner {
          type ifname . ipv4_addr
          elements = {
            vif2.0 . 10.0.0.12 comment "two",
          }
        }
        chain postrouting {
          type nat hook postrouting priority 100; policy accept;
          ip saddr 10.0.0.0/24 oifname "eth0" masquerade comment "private"
        }
      }"
  `);
});

test("as ifconfig", () => {
  expect(interfacesText(STATE)).toMatchInlineSnapshot(`
    "cloison.demo.host

    lo        Link encap:Local Loopback
              inet addr:127.0.0.1  Mask:255.0.0.0
              UP LOOPBACK RUNNING  MTU:65536  Metric:1

    eth0      Link encap:Ethernet  HWaddr 00:16:3E:00:00:01
              inet addr:192.168.0.254  Bcast:192.168.0.255  Mask:255.255.255.0
              inet6 addr: 2001:db8::1/64 Scope:Global
              UP BROADCAST RUNNING MULTICAST  MTU:1500  Metric:1

    natbr1    Link encap:Ethernet  HWaddr 00:16:3E:00:00:02
              inet addr:10.0.0.1  Bcast:10.0.0.255  Mask:255.255.255.0
              UP BROADCAST RUNNING MULTICAST  MTU:1500  Metric:1

    vif1.0    Link encap:Ethernet  HWaddr FE:FF:FF:FF:FF:FF
              UP BROADCAST RUNNING MULTICAST  MTU:1500  Metric:1

    vif2.0    Link encap:Ethernet  HWaddr FE:FF:FF:FF:FF:FF
              BROADCAST MULTICAST  MTU:1400  Metric:1

    eth1.2    Link encap:Ethernet  HWaddr 
              UP BROADCAST RUNNING MULTICAST  MTU:1500  Metric:1"
  `);
});

test("as route -n: a guest's host route is UH on its vif, as in the study", () => {
  expect(routesText(STATE)).toMatchInlineSnapshot(`
    "cloison.demo.host

    Kernel IP routing table
    Destination     Gateway         Genmask         Flags Metric Ref    Use Iface
    192.168.0.1     0.0.0.0         255.255.255.255 UH    0      0        0 vif1.0
    10.0.0.0        0.0.0.0         255.255.255.0   U     0      0        0 natbr1
    192.168.0.0     0.0.0.0         255.255.255.0   U     0      0        0 eth0
    0.0.0.0         192.168.0.250   0.0.0.0         UG    0      0        0 eth0"
  `);
});

test("as iptables -L", () => {
  expect(chainsText(STATE)).toMatchInlineSnapshot(`
    "cloison.demo.host

    Chain POSTROUTING (policy ACCEPT)  [inet cloison-nat, priority 100]
    target      in  out   source       destination
    MASQUERADE  *   eth0  10.0.0.0/24  *            /* private */"
  `);
});
