import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import type { Host } from "../src/host/host.ts";
import { firstPing, type Cycle } from "./lab-cycle.ts";

const HOSTS = 256;
const PREFIX = "cloison-bench.";
const address = (host: number): string => `10.64.${host >> 8}.${host & 255}`;
const GATEWAY = "10.64.1.254";
const hostNumbers = Array.from({ length: HOSTS }, (_, i) => i + 1);

/**
 * The kernel objects of 256 hosts on one bridge and nothing else, by `ip -batch`: its files are written beforehand. One batch makes
 * the namespaces, one bridge and veths; addresses and routes take a batch in each namespace, as many at a time as there are CPUs.
 */
export async function bareLab(host: Host): Promise<Cycle & { end(): Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), "cloison-bench-bare-"));
  const bridge = `${PREFIX}bridge`;
  const node = (number: number): string => `${PREFIX}node${number}`;
  const namespaces = [bridge, ...hostNumbers.map(node)];
  const write = (name: string, lines: string[]): Promise<void> =>
    writeFile(join(directory, name), `${lines.join("\n")}\n`);
  await write(
    "make",
    namespaces.map((name) => `netns add ${name}`),
  );
  await write(
    "remove",
    namespaces.map((name) => `netns del ${name}`),
  );
  await write("wire", [
    "link set lo up",
    "link add br0 type bridge",
    ...hostNumbers.flatMap((n) => [
      `link add vif${n} type veth peer name eth0 netns ${node(n)}`,
      `link set vif${n} master br0 up`,
    ]),
    "link set br0 up",
    `address add ${GATEWAY}/23 dev br0`,
  ]);
  for (const n of hostNumbers) {
    await write(node(n), [
      "link set lo up",
      `address add ${address(n)}/23 dev eth0`,
      "link set eth0 up",
      `route add default via ${GATEWAY}`,
    ]);
  }
  const each = `seq -f '${PREFIX}node%g' ${HOSTS} | xargs -P ${availableParallelism()} -I '{}' ip -n '{}' -batch '{}'`;
  const script = `set -e; ip -batch make; ip -n ${bridge} -batch wire; ${each}`;
  return {
    async up() {
      await sh(directory, script);
      await firstPing(host, node(1), address(HOSTS));
    },
    down: () => sh(directory, "ip -batch remove"),
    async end() {
      await host.namespaces.remove(namespaces);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function sh(cwd: string, script: string): Promise<void> {
  const child = spawn("sh", ["-c", script], { cwd, stdio: ["ignore", "ignore", "inherit"] });
  const [code] = (await once(child, "exit")) as [number | null];
  if (code !== 0) throw new Error(`ip -batch ended with ${code}`);
}
