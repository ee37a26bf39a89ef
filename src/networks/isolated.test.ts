import { expect, test } from "vitest";
import { besides, guest, lines, WHERE } from "./fixture.ts";
import { isolatedNetwork } from "./isolated.ts";

test("isolated: nothing is forwarded in or out, and the host answers there only if it has an address", () => {
  const network = {
    ...WHERE,
    name: "vault",
    index: 0,
    prefix: 24,
    host: { address: null, mac: "00:16:3e:00:00:04" },
    isolatedPorts: false,
    mtu: 1500,
    vifs: [guest("one", 1, "10.202.0.11")],
  };
  const alone = lines(isolatedNetwork(network)).filter((line) => !line.includes("cloison-guard"));
  expect(alone).toMatchInlineSnapshot(`
    [
      "host isobr0 bridge 00:16:3e:00:00:04",
      "host vif1.0 veth fe:ff:ff:ff:ff:ff in isobr0 to one/eth0",
      "host net.bridge.bridge-nf-call-iptables=0",
      "host net.ipv6.conf.isobr0.disable_ipv6=1",
      "host inet cloison-host @closed isobr0",
      "host inet cloison-host isolation: filter forward -10 accept",
      "host inet cloison-host isolation: iifname isobr0 drop",
      "host inet cloison-host isolation: oifname isobr0 drop",
      "host inet cloison-host isolation: iifname @closed drop",
      "host inet cloison-host input: filter input 0 accept",
      "host inet cloison-host input: iifname @closed drop",
      "host arp cloison-host @closed isobr0",
      "host arp cloison-host input: filter input 0 accept",
      "host arp cloison-host input: iifname @closed drop",
      "one eth0 veth 00:16:3e:00:01:01 to host/vif1.0",
      "one 10.202.0.11/24 on eth0",
    ]
  `);
  const withHost = lines(isolatedNetwork({ ...network, host: { ...network.host, address: "10.202.0.1" } }));
  expect(besides(alone, withHost)).toMatchInlineSnapshot(`
    [
      "host net.ipv6.conf.isobr0.disable_ipv6=1",
      "host inet cloison-host @closed isobr0",
      "host inet cloison-host isolation: iifname @closed drop",
      "host inet cloison-host input: filter input 0 accept",
      "host inet cloison-host input: iifname @closed drop",
      "host arp cloison-host @closed isobr0",
      "host arp cloison-host input: filter input 0 accept",
      "host arp cloison-host input: iifname @closed drop",
    ]
  `);
});
