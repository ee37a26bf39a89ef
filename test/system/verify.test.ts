import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ForeignKernel } from "../../src/host/foreign-kernel.ts";
import { openPacketSocket } from "../../src/host/packet-socket.ts";
import { createRealHost } from "../../src/host/real.ts";
import type { Observation } from "../../src/model/observation.ts";
import type { Endpoint, Question } from "../../src/model/reachability.ts";
import { frameLine } from "../../src/report/frame-line.ts";
import { captureFrames, type CapturedFrame } from "../../src/verify/capture.ts";
import { observeAnswers } from "../../src/verify/observe-answers.ts";
import { pcapngFrame, pcapngHeader } from "../../src/verify/pcapng.ts";
import { tracePacket } from "../../src/verify/trace-packet.ts";
import { callFromNamespace } from "../called-kernel.ts";
import { needs } from "../needs.ts";

const LAB = `cloison.verify-${process.pid}`;
const [A, B, SWITCH, ROUTER, OUTER] = ["a", "b", "switch", "router", "outer"].map((name) => `${LAB}.${name}`) as [
  string,
  string,
  string,
  string,
  string,
];
const NAMESPACES = [A, B, SWITCH, ROUTER, OUTER];
const MAC = { a: "00:16:3e:77:00:0a", b: "00:16:3e:77:00:0b", router: "00:16:3e:77:00:01" };

function endpoint(name: string, namespace: string, addresses: string[], mac: string): Endpoint {
  const kind = name === "router" ? "router" : "domain";
  return { name, kind, namespace, interfaces: [{ link: "eth0", network: "lan", addresses, mac }], services: [] };
}

const ENDPOINTS = [
  endpoint("a", A, ["10.77.1.2", "fd00:77::2"], MAC.a),
  endpoint("b", B, ["10.77.1.3", "fd00:77::3"], MAC.b),
  endpoint("router", ROUTER, ["10.77.1.1", "10.77.2.1"], MAC.router),
  endpoint("outer", OUTER, ["10.77.2.2"], "00:16:3e:77:00:0f"),
];

needs(
  "root",
  "netns",
  "nft",
)("real packets", () => {
  const host = createRealHost();
  const inside = (namespace: string, script: string) =>
    host.processes.must({ argv: ["sh", "-ec", script], namespace, timeoutMs: 20_000 });
  const endings: (() => Promise<unknown>)[] = [];

  /** Asks all at once; the answers in order. */
  const ask = (questions: Question[], signal?: AbortSignal) =>
    observeAnswers(host, ENDPOINTS, NAMESPACES, questions, signal === undefined ? {} : { signal });
  const question = (from: string, to: string, address: string, how: string, more: Partial<Question> = {}): Question => {
    const [kind = "", port = ""] = how.split(" ");
    const asked = kind === "arp" || kind === "icmp" ? { kind } : { kind: kind as "tcp" | "udp", port: Number(port) };
    return { from, to, address, how: asked as Question["how"], ...more };
  };
  const places = ({ seenIn }: Observation, reply: boolean) =>
    seenIn
      .filter((place) => place.reply === reply)
      .map((place) => `${place.namespace.replace(`${LAB}.`, "")}/${place.interface} ${place.direction}`);

  beforeAll(async () => {
    await host.namespaces.create(NAMESPACES);
    const pid = `ip netns exec`;
    await host.processes.must({
      argv: [
        "sh",
        "-ec",
        `
        ip -n ${SWITCH} link add br0 type bridge
        ip -n ${SWITCH} link set br0 up
        plug() { # namespace, port, mac
          ip -n ${SWITCH} link add $2 type veth peer name eth0 address $3 netns $1
          ip -n ${SWITCH} link set $2 master br0 up
          ip -n $1 link set eth0 up
          ip -n $1 link set lo up
        }
        plug ${A} pa ${MAC.a}
        plug ${B} pb ${MAC.b}
        plug ${ROUTER} pr ${MAC.router}
        ip -n ${ROUTER} link add eth1 type veth peer name eth0 address 00:16:3e:77:00:0f netns ${OUTER}
        for n in a b; do
          ip -n ${LAB}.$n address add 10.77.1.$([ $n = a ] && echo 2 || echo 3)/24 dev eth0
          ip -n ${LAB}.$n address add fd00:77::$([ $n = a ] && echo 2 || echo 3)/64 dev eth0 nodad
          ip -n ${LAB}.$n route add default via 10.77.1.1
        done
        ip -n ${ROUTER} address add 10.77.1.1/24 dev eth0
        ip -n ${ROUTER} address add 10.77.2.1/24 dev eth1
        ip -n ${ROUTER} address add 10.77.1.50/24 dev eth0
        ip -n ${B} address add 10.77.1.50/24 dev eth0
        ip -n ${ROUTER} link set eth1 mtu 1400 up
        ip -n ${OUTER} link set eth0 mtu 1400 up
        ip -n ${OUTER} address add 10.77.2.2/24 dev eth0
        ${pid} ${ROUTER} sysctl -qw net.ipv4.ip_forward=1 net.ipv4.neigh.eth0.proxy_delay=0
        ip -n ${ROUTER} neigh add proxy 10.77.2.2 dev eth0
        ${pid} ${ROUTER} nft -f - <<'END'
          add table ip nat
          add chain ip nat post { type nat hook postrouting priority srcnat; }
          add rule ip nat post oifname "eth1" masquerade
          add table inet guard
          add chain inet guard forward { type filter hook forward priority 0; }
          add rule inet guard forward tcp dport 82 reject with tcp reset
          add rule inet guard forward tcp dport 83 reject
END
        ${pid} ${B} nft -f - <<'END'
          add table inet guard
          add chain inet guard input { type filter hook input priority 0; }
          add rule inet guard input tcp dport 81 drop
END
        `,
      ],
      timeoutMs: 30_000,
    });
    const server = await host.processes.start({
      argv: [
        process.execPath,
        "-e",
        `require("net").createServer((c) => c.on("error", () => {})).listen(80, "0.0.0.0"); require("dgram").createSocket("udp4").bind(5000); console.log("up")`,
      ],
      namespace: B,
    });
    endings.push(async () => {
      server.kill("SIGKILL");
      await server.exited;
    });
    await inside(
      B,
      "for i in $(seq 100); do ss -ltn | grep -q :80 && ss -lun | grep -q :5000 && exit; sleep 0.05; done; false",
    );
  });
  afterAll(async () => {
    for (const end of endings) await end();
    await host.namespaces.remove(NAMESPACES);
  });

  test("who answers, what it saw, and where the packet passed", async () => {
    const [echo, far, open, closed, v6] = (await ask([
      question("a", "b", "10.77.1.3", "icmp"),
      question("a", "outer", "10.77.2.2", "icmp"),
      question("a", "b", "10.77.1.3", "tcp 80"),
      question("a", "outer", "10.77.2.2", "tcp 80"),
      question("a", "b", "fd00:77::3", "icmp"),
    ])) as [Observation, Observation, Observation, Observation, Observation];
    expect(echo).toMatchObject({ outcome: "reachable", reply: "echo-reply", tries: 1, answeredIn: B });
    expect(echo).toMatchObject({ seenSource: "10.77.1.2", ttl: 64, answeredBy: "b", icmpError: null, sendError: null });
    expect(places(echo, false)).toEqual(["a/eth0 out", "switch/pa in", "switch/pb out", "b/eth0 in"]);
    expect(places(echo, true)).toEqual(["b/eth0 out", "switch/pb in", "switch/pa out", "a/eth0 in"]);
    expect(far).toMatchObject({ outcome: "reachable", seenSource: "10.77.2.1", ttl: 63, answeredBy: "outer" });
    expect(open).toMatchObject({ outcome: "reachable", reply: "syn-ack", seenSource: "10.77.1.2", answeredBy: "b" });
    expect(closed).toMatchObject({ outcome: "reachable", reply: "rst", seenSource: "10.77.2.1", answeredBy: "outer" });
    expect(v6).toMatchObject({ outcome: "reachable", reply: "echo-reply", seenSource: "fd00:77::2", ttl: 64 });
  });

  test("what is dropped, rejected, or nobody's", async () => {
    const before = await inside(A, "ip neigh show | sort");
    const [dropped, reset, refused, nobody, noWay, fromOuter] = (await ask([
      question("a", "b", "10.77.1.3", "tcp 81"),
      question("a", "outer", "10.77.2.2", "tcp 82"),
      question("a", "outer", "10.77.2.2", "tcp 83"),
      question("a", "b", "10.77.1.99", "icmp"),
      question("outer", "a", "10.77.1.2", "icmp"),
      question("router", "a", "10.77.1.2", "icmp"),
    ])) as [Observation, Observation, Observation, Observation, Observation, Observation];
    expect(dropped).toMatchObject({ outcome: "blocked", reply: null, tries: 3 });
    expect(places(dropped, false)).toContain("b/eth0 in");
    expect(reset).toMatchObject({ outcome: "blocked", reply: null, answeredBy: "router" });
    expect(refused).toMatchObject({ outcome: "blocked", icmpError: { type: 3, code: 3, from: "10.77.1.1" } });
    expect(nobody).toMatchObject({ outcome: "blocked", reply: null, seenIn: [] });
    expect(noWay).toMatchObject({ outcome: "blocked", sendError: "ENETUNREACH", tries: 1 });
    expect(fromOuter).toMatchObject({ outcome: "reachable" });
    expect(await inside(A, "ip neigh show | sort")).toBe(before);
  });

  test("ARP and neighbour discovery: who says to have the address, for whom, and how many do", async () => {
    const [own, proxy, nobody, double, v6] = (await ask([
      question("a", "b", "10.77.1.3", "arp"),
      question("a", "outer", "10.77.2.2", "arp"),
      question("a", "b", "10.77.1.99", "arp"),
      question("a", "b", "10.77.1.50", "arp"),
      question("a", "b", "fd00:77::3", "arp"),
    ])) as [Observation, Observation, Observation, Observation, Observation];
    expect(own).toMatchObject({ outcome: "reachable", mac: MAC.b, macs: [MAC.b], answeredBy: "b", reply: "arp-reply" });
    expect(proxy).toMatchObject({ outcome: "reachable", mac: MAC.router, answeredBy: "router", seenSource: null });
    expect(nobody).toMatchObject({ outcome: "blocked", mac: null, tries: 3 });
    expect(double.macs.toSorted()).toEqual([MAC.router, MAC.b]);
    expect(v6).toMatchObject({ outcome: "reachable", mac: MAC.b, reply: "neighbour-advertisement" });
  });

  test("connections from one local port to several ports of a machine are told apart", async () => {
    const range = "/proc/sys/net/ipv4/ip_local_port_range";
    const before = await inside(A, `cat ${range}; echo 40000 40000 >${range}`);
    await inside(
      B,
      "nft 'add table ip apart; add chain ip apart c { type filter hook input priority 0; }; add rule ip apart c tcp dport 81 drop'",
    );
    try {
      const asked = await ask([81, 82, 83].map((port) => question("a", "b", "10.77.1.3", `tcp ${port}`)));
      expect(asked.map(({ reply }) => reply)).toEqual([null, "rst", "rst"]);
      expect(places(asked[0]!, true)).toEqual([]);
      expect(places(asked[1]!, true)).toEqual(places(asked[2]!, true));
    } finally {
      await inside(B, "nft delete table ip apart");
      await inside(A, `echo "${before.trim()}" >${range}`);
    }
  });

  test("UDP: a closed port says so, an open one that keeps silent got it", async () => {
    const [closed, silent, far] = (await ask([
      question("a", "b", "10.77.1.3", "udp 4999"),
      question("a", "b", "10.77.1.3", "udp 5000"),
      question("a", "outer", "10.77.2.2", "udp 53"),
    ])) as [Observation, Observation, Observation];
    expect(closed).toMatchObject({ outcome: "reachable", reply: "port-unreachable", icmpError: null, answeredBy: "b" });
    expect(silent).toMatchObject({ outcome: "reachable", reply: "delivered", answeredBy: "b", tries: 3 });
    expect(far).toMatchObject({ outcome: "reachable", reply: "port-unreachable", seenSource: "10.77.2.1", ttl: 63 });
  });

  test("a packet too large for the way: in fragments, or not at all", async () => {
    const [whole, pieces, small] = (await ask([
      question("a", "outer", "10.77.2.2", "icmp", { size: 1500, dontFragment: true }),
      question("a", "outer", "10.77.2.2", "icmp", { size: 1500, dontFragment: false }),
      question("a", "outer", "10.77.2.2", "icmp", { size: 1400, dontFragment: true }),
    ])) as [Observation, Observation, Observation];
    expect(whole).toMatchObject({ outcome: "blocked", icmpError: { type: 3, code: 4, from: "10.77.1.1" }, tries: 1 });
    expect(pieces).toMatchObject({ outcome: "reachable", answeredBy: "outer" });
    expect(small).toMatchObject({ outcome: "reachable", answeredBy: "outer" });
  });

  test("asked through calls of a foreign kernel, all of it is answered alike", async () => {
    const questions = [
      ...["icmp", "arp", "tcp 80", "tcp 79", "tcp 81", "udp 4999", "udp 5000"].map((how) =>
        question("a", "b", "10.77.1.3", how),
      ),
      ...["icmp", "arp", "tcp 82", "tcp 83", "udp 53"].map((how) => question("a", "outer", "10.77.2.2", how)),
      ...["icmp", "arp", "tcp 80"].map((how) => question("a", "b", "fd00:77::3", how)),
      question("outer", "a", "10.77.1.2", "icmp"),
      question("a", "outer", "10.77.2.2", "icmp", { size: 1500, dontFragment: true }),
      question("a", "outer", "10.77.2.2", "icmp", { size: 1500, dontFragment: false }),
    ];
    const kernels = new Map([A, OUTER].map((namespace) => [namespace, callFromNamespace(namespace)]));
    try {
      const from = await observeAnswers(host, ENDPOINTS, NAMESPACES, questions, { kernels });
      // How often it is asked, and where a bridge floods it, is chance.
      const essence = ({ seenIn, ...rest }: Observation) => ({ ...rest, tries: 1, passed: seenIn.length > 0 });
      expect(from.map(essence)).toEqual((await ask(questions)).map(essence));
    } finally {
      await Promise.all([...kernels.values()].map((kernel) => kernel.close()));
    }
  });

  test("a foreign kernel that says it was answered is believed where its wire has shown it", async () => {
    const honest = callFromNamespace(A);
    const liar: ForeignKernel = {
      ...honest,
      async call(calls) {
        const answers = await honest.call(calls);
        calls.forEach(({ number }, i) => {
          const [entries] = answers[i]?.bytes ?? [];
          // poll(2): whatever is waited for has come.
          for (let at = 4; number === 7 && entries !== undefined && at < entries.length; at += 8) {
            entries.copy(entries, at + 2, at, at + 2);
          }
        });
        return answers;
      },
    };
    const questions = [80, 81].map((port) => question("a", "b", "10.77.1.3", `tcp ${port}`));
    try {
      const asked = await observeAnswers(host, ENDPOINTS, NAMESPACES, questions, { kernels: new Map([[A, liar]]) });
      expect(asked.map(({ outcome, reply }) => [outcome, reply])).toEqual([
        ["reachable", "syn-ack"],
        ["blocked", null],
      ]);
    } finally {
      await honest.close();
    }
  });

  test("ended in the middle, it leaves nothing open and nothing learned", async () => {
    const questions = ["10.77.1.99", "10.77.1.98"].flatMap((address) =>
      ["icmp", "arp", "tcp 80", "udp 53"].map((how) => question("a", "b", address, how)),
    );
    // What a first run opens for good.
    await ask([question("a", "b", "10.77.1.3", "icmp")], AbortSignal.timeout(10_000));
    const open = readdirSync("/proc/self/fd").length;
    const ending = new AbortController();
    const asked = ask(questions, ending.signal);
    setTimeout(() => ending.abort(new Error("enough")), 200);
    await expect(asked).rejects.toThrow("enough");
    expect(readdirSync("/proc/self/fd").length).toBe(open);
    expect(await inside(A, "ip neigh show to 10.77.1.98/31")).toBe("");
  });

  test("a packet under nftables' tracing names the rule that dropped it, and the table for it is taken away", async () => {
    const dropped = question("a", "b", "10.77.1.3", "tcp 81");
    const events = await tracePacket(host, NAMESPACES, () => ask([dropped]).then(() => undefined), dropped);
    const handle = /tcp dport 81 drop # handle (\d+)/.exec(await inside(B, "nft -a list ruleset"))?.[1];
    expect(events).toContainEqual(
      expect.objectContaining({
        namespace: B,
        family: "inet",
        table: "guard",
        chain: "input",
        rule: "tcp dport 81 drop",
        handle: Number(handle),
        verdict: "drop",
      }),
    );
    await expect(tracePacket(host, NAMESPACES, () => Promise.reject(new Error("not sent")), dropped)).rejects.toThrow(
      "not sent",
    );
    for (const namespace of NAMESPACES) expect(await inside(namespace, "nft list tables")).not.toContain("cloison");
  });

  test("frames on a wire: tags seen, decoded in a line, written to a file that tcpdump reads", async () => {
    // A ping of VLAN 10 and an untagged ARP request, as another station's.
    const tagged = Buffer.from(
      "00163e77000b00163e770099" +
        "8100000a0800" +
        "4500001c00010000400163000a4d01630a4d0103" +
        "0800f7fd00010001".padEnd(72, "0"),
      "hex",
    );
    const ending = new AbortController();
    const frames: CapturedFrame[] = [];
    let listening: () => void = () => undefined;
    const ready = new Promise<void>((resolve) => (listening = resolve));
    const filter = "ether host 00:16:3e:77:00:99";
    const capture = (async () => {
      const options = { filter, signal: ending.signal, onListening: listening };
      for await (const frame of captureFrames(host, SWITCH, "pa", options)) {
        frames.push(frame);
        if (frames.length === 1) ending.abort();
      }
    })();
    await ready;
    const netlink = host.namespaces.netlink(A);
    const index = netlink.links().find(({ name }) => name === "eth0")?.index ?? 0;
    netlink.close();
    const [sender, witness] = [
      host.namespaces.within(A, openPacketSocket),
      host.namespaces.within(B, openPacketSocket),
    ];
    const tags: (number | null)[] = [];
    try {
      expect(sender.send(index, tagged)).toBeNull();
      await capture;
      witness.receive(({ bytes, vlanTag }) => {
        if (bytes[11] === 0x99) tags.push(vlanTag);
      });
    } finally {
      sender.close();
      witness.close();
    }
    expect(tags).toEqual([10]);
    const [frame] = frames as [CapturedFrame];
    expect(frameLine(frame.bytes, frame)).toMatch(
      / 00:16:3e:77:00:99 → 00:16:3e:77:00:0b vlan 10 10\.77\.1\.99 → 10\.77\.1\.3 ICMP echo request id 1 seq 1 /,
    );
    const folder = mkdtempSync(join(tmpdir(), "cloison-verify-"));
    try {
      const file = join(folder, "a.pcapng");
      writeFileSync(file, Buffer.concat([pcapngHeader(["pa"], "Cloison"), pcapngFrame(0, frame)]));
      const read = await host.processes.run({ argv: ["tcpdump", "-nner", file], timeoutMs: 10_000 });
      expect(read.stdout).toMatch(/vlan 10, p 0, ethertype IPv4.* 10\.77\.1\.99 > 10\.77\.1\.3: ICMP echo request/);
      expect(read.stdout.trim().split("\n")).toHaveLength(1);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("a capture that cannot begin says why", async () => {
    const capture = captureFrames(host, A, "nowhere0", { signal: AbortSignal.timeout(10_000) });
    await expect(capture.next()).rejects.toThrow(/the capture on nowhere0 ended: .*No such device/);
    const wrong = captureFrames(host, A, "eth0", { filter: "nonsense words", signal: AbortSignal.timeout(10_000) });
    await expect(wrong.next()).rejects.toThrow(/the capture on eth0 ended: .*syntax error/);
  });
});
