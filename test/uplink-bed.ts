import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, vi } from "vitest";
import { createSandbox, PROGRAM, type Ended } from "./sandbox.ts";

const LAB = `
name: uplinked
platform: namespace
images: { plain: { recipe: plain } }
networks:
  lan: { subnet: 10.61.0.0/24, uplink: card1, gateway: 10.61.0.1 }
domains:
  one: { image: plain, memory: 64M, pids: 64 }
`;
/** The same over a card that does not carry the default route. */
export const SIDE_LAB = LAB.replaceAll("10.61", "10.62").replace("card1", "card2");

/** A namespace that plays the machine, with two cards, and one that plays all that is beyond them. */
const PLAY = `
set -eu
ip netns add machine
ip netns add beyond
nsenter --net=/run/netns/machine sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0
ip -n machine link set lo up
ip -n beyond link set lo up
for n in 1 2; do
  ip -n machine link add card$n type veth peer name eth$n netns beyond
  ip -n machine link set card$n up
  ip -n beyond link set eth$n up
  ip -n machine address add 10.6$n.0.2/24 brd + dev card$n
  ip -n machine address add 10.6$n.0.3/24 dev card$n label card$n:a
  ip -n machine address add 10.6$n.9.1 peer 10.6$n.9.2/32 dev card$n
  ip -n machine address add 10.6$n.0.4/24 dev card$n valid_lft 9000 preferred_lft 8000
  ip -n machine address add 2001:db8:6$n::2/64 dev card$n
  ip -n beyond address add 10.6$n.0.1/24 dev eth$n
  ip -n beyond address add 2001:db8:6$n::1/64 dev eth$n nodad
  ip -n machine route add 10.7$n.0.0/16 via 10.8.8.8 dev card$n onlink table 50 mtu 1400
  ip -n machine route add 2001:db8:7$n::/48 via 2001:db8:6$n::1 dev card$n proto ra expires 9000
done
ip -n machine route add default via 10.61.0.1 dev card1 proto dhcp src 10.61.0.3 metric 100
ip -n machine route add default via 10.61.0.7 dev card1 metric 300
ip -n machine route add default via 2001:db8:61::1 dev card1
`;

export type UplinkBed = Awaited<ReturnType<typeof createUplinkBed>>;

/** A machine with two cards, played by namespaces of a sandbox, and Cloison on it. */
export async function createUplinkBed() {
  const sandbox = await createSandbox();
  const file = join(sandbox.folder, "lab.yaml");
  const sideFile = join(sandbox.folder, "side.yaml");
  writeFileSync(file, LAB);
  writeFileSync(sideFile, SIDE_LAB);
  expect(sandbox.run(["sh", "-c", PLAY])).toMatchObject({ code: 0, stderr: "" });

  const within = (namespace: string, ...argv: string[]): Ended =>
    sandbox.run(["nsenter", `--net=/run/netns/${namespace}`, "--", ...argv]);
  const argvOf = (...args: string[]) => [
    "nsenter",
    "--net=/run/netns/machine",
    "--",
    process.execPath,
    PROGRAM,
    ...args,
  ];
  const cloison = (...args: string[]) => sandbox.run(argvOf(...args));
  function succeed(...args: string[]): string {
    const ended = cloison(...args);
    const said = ended.code === 0 ? "" : ended.stdout + ended.stderr;
    expect({ code: ended.code, said }, `cloison ${args.join(" ")}`).toEqual({ code: 0, said: "" });
    return ended.stdout;
  }
  const pings = (namespace: string, address: string) =>
    within(namespace, "ping", "-c", "1", "-w", "3", address).code === 0;

  /** The machine's whole network, but for how far lifetimes have run down. */
  function network(): string[] {
    const { stdout } = within(
      "machine",
      "sh",
      "-c",
      "ip -j addr; ip -j -4 route show table all; ip -j -6 route show table all",
    );
    return stdout
      .trim()
      .split("\n")
      .flatMap((line) => (JSON.parse(line) as object[]).map((one) => JSON.stringify(one)))
      .map((line) => line.replaceAll(/"(valid_life_time|preferred_life_time|expires)":\d{1,4}\b/g, '"$1":"…"'))
      .toSorted();
  }
  const master = (card: string) =>
    /master (\S+)/.exec(within("machine", "ip", "link", "show", card).stdout)?.[1] ?? null;
  /** Watchdogs and files that nobody needs any more. */
  const left = () =>
    sandbox
      .run([
        "sh",
        "-c",
        `find /sys/fs/cgroup -path "*/cloison*" -type d; find /run/cloison/locks ${sandbox.state}/labs -mindepth 1`,
      ])
      .stdout.split("\n")
      .filter((line) => line !== "");

  const before = network();
  return {
    sandbox,
    /** A lab over the card that carries the default route. */
    file,
    /** One over the other card. */
    sideFile,
    /** The machine's network before any lab. */
    before,
    network,
    /** What a card is a port of; null: of nothing. */
    master,
    within,
    argvOf,
    cloison,
    succeed,
    pings,
    restored: () => vi.waitFor(() => expect(network()).toEqual(before), { timeout: 15_000, interval: 50 }),
    /** Takes down whatever is up. Throws when that leaves anything. */
    clear(): void {
      succeed("down", "--all");
      expect(network()).toEqual(before);
      expect(left()).toEqual([]);
    },
  };
}
