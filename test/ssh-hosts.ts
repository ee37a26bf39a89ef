import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createSandbox, PROGRAM, type Ended, type Sandbox } from "./sandbox.ts";

/** A machine among others: network, mount, pid and UTS namespaces of its own, and a state folder. */
export interface SshHost {
  name: string;
  /** In the outer pid namespace: of its first process. */
  pid: number;
  sandbox: Sandbox;
  /** CLOISON_STATE in it. */
  state: string;
  run(argv: string[], options?: { input?: string; env?: Record<string, string> }): Ended;
  start(argv: string[]): { child: ChildProcess; ended: Promise<Ended> };
  /** Runs a shell script in it. */
  shell(script: string): Ended;
  /** Runs the command line in it. */
  cloison(...args: string[]): Ended;
  /** Ends all that runs in it, at once, as a power cut does; its network goes with it. */
  end(): Promise<void>;
  /** Starts it after that: of what it had, its state folder and its sshd's keys are there. */
  boot(): Promise<void>;
  close(): Promise<void>;
}

const root = fileURLToPath(new URL("..", import.meta.url));

/**
 * Nothing of it is another's: what can be written lies in memory, or on a disk of its own, and of the project it sees nothing if
 * it is to get Cloison by ssh. The images of the machine are below a layer of its own.
 */
const SETUP = `
set -eu
name=$1; disk=$2; images=$3; project=$4; node=$5
hostname "$name"
mkdir -p /run/state /run/upper /run/work /run/sshd
# A disk in memory would count as memory of whoever writes it.
mount --bind "$disk" /run/state
mkdir -p /run/state/images
mount -t overlay overlay -o "lowerdir=$images,upperdir=/run/upper,workdir=/run/work" /run/state/images
mount -t tmpfs -o mode=700 tmpfs /root
if [ "$project" != none ]; then
  mount --bind /dev/null "$node"
  for folder in "$project" /tmp /var/tmp; do mount -t tmpfs tmpfs "$folder"; done
fi
# As each start of a kernel has.
cat /proc/sys/kernel/random/uuid >/run/boot_id
mount --bind /run/boot_id /proc/sys/kernel/random/boot_id
umask 077; mkdir /root/.ssh
ip link set lo up
echo ready
exec tini -- sleep infinity
`;

/** What was in memory goes. */
const KEEP_DISK = `
find /run -mindepth 1 -maxdepth 1 ! -name upper ! -name work ! -name sshd -exec rm -rf {} +
rm -f /run/sshd/pid`;

/** @param options `isServer`: it knows no Cloison and no Node.js */
export async function createSshHost(name: string, { isServer }: { isServer: boolean }): Promise<SshHost> {
  const sandbox = await createSandbox();
  const disk = join(sandbox.folder, "disk");
  mkdirSync(disk);
  const images = sandbox.run(["readlink", "-f", `${sandbox.state}/images`]).stdout.trim();
  const unshare = ["unshare", "--mount", "--net", "--uts", "--pid", "--fork", "--mount-proc", "--kill-child"];
  const hidden = isServer ? [root, process.execPath] : ["none", "none"];
  const boot = async () => {
    const { child, ended: gone } = sandbox.start([...unshare, "sh", "-c", SETUP, "sh", name, disk, images, ...hidden]);
    const early = await Promise.race([once(child.stdout as NodeJS.EventEmitter, "data").then(() => null), gone]);
    if (early !== null) {
      await sandbox.close();
      throw new Error(`${name} could not be made: ${early.stderr}`);
    }
    // nsenter becomes unshare, whose child is the first process of the new pid namespace.
    const [pid = ""] = spawnSync("pgrep", ["-P", `${child.pid}`], { encoding: "utf8" })
      .stdout.trim()
      .split("\n");
    return { child, pid };
  };
  let first = await boot();
  const enter = () => ["nsenter", "--target", first.pid, "--mount", "--net", "--uts", "--pid", "--"];
  const state = "/run/state";
  const env = { PATH: process.env["PATH"] ?? "", HOME: "/root", CLOISON_STATE: state };

  const host: SshHost = {
    name,
    get pid() {
      return Number(first.pid);
    },
    sandbox,
    state,
    run(argv, { input = "", env: more = {} } = {}) {
      const [program = "", ...args] = [...enter(), ...argv];
      const done = spawnSync(program, args, { env: { ...env, ...more }, input, encoding: "utf8", cwd: "/" });
      if (done.error !== undefined) throw done.error;
      return { code: done.status, stdout: done.stdout, stderr: done.stderr };
    },
    start(argv) {
      const [program = "", ...args] = [...enter(), ...argv];
      const started = spawn(program, args, { env, cwd: "/", stdio: ["ignore", "pipe", "pipe"] });
      let stdout = "";
      let stderr = "";
      started.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
      started.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
      const ended = new Promise<Ended>((resolve) => started.once("close", (code) => resolve({ code, stdout, stderr })));
      return { child: started, ended };
    },
    shell(script) {
      const ended = host.run(["sh", "-ec", script]);
      if (ended.code !== 0) throw new Error(`${name}: ${script}: ${ended.stderr}`);
      return ended;
    },
    cloison: (...args) => host.run([process.execPath, PROGRAM, ...args]),
    async end() {
      if (first.child.exitCode !== null || first.child.signalCode !== null) return;
      first.child.kill("SIGKILL");
      await once(first.child, "close");
    },
    async boot() {
      sandbox.run(["sh", "-ec", KEEP_DISK]);
      first = await boot();
    },
    async close() {
      await host.end();
      await sandbox.close();
    },
  };
  return host;
}

/** An end of a wire: an interface of a host; without an address: only up. */
interface WireEnd {
  host: SshHost;
  name: string;
  address?: string;
}

/** Joins two hosts by a wire. */
export function wire(...ends: [WireEnd, WireEnd]): void {
  const [a, b] = ends.map(({ host, name }) => `name ${name} netns ${host.pid}`);
  const made = spawnSync("ip", `link add ${a} type veth peer ${b}`.split(" "));
  if (made.status !== 0) throw new Error(`no wire: ${made.stderr}`);
  for (const { host, name, address } of ends) {
    host.shell(`ip link set ${name} up`);
    if (address !== undefined) host.shell(`ip address add ${address}/24 dev ${name}`);
  }
}

/** Starts a host's sshd, which takes the client's key; the client knows the host's key. */
export function serveSsh(server: SshHost, client: SshHost, address: string): void {
  client.shell("[ -e /root/.ssh/id_ed25519 ] || ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519");
  const key = client.shell("cat /root/.ssh/id_ed25519.pub").stdout;
  server.shell(`
ssh-keygen -q -t ed25519 -N '' -f /run/sshd/key
cat >/run/sshd/authorized_keys <<'KEY'
${key}KEY
cat >/run/sshd/config <<'CONFIG'
HostKey /run/sshd/key
PidFile /run/sshd/pid
AuthorizedKeysFile /run/sshd/authorized_keys
UsePAM no
PermitRootLogin prohibit-password
# The key is for no one else.
AllowUsers root
SetEnv CLOISON_STATE=${server.state}
CONFIG`);
  startSshd(server);
  const hostKey = server.shell("cut -d' ' -f1,2 /run/sshd/key.pub").stdout;
  client.shell(`echo '${address} ${hostKey.trim()}' >>/root/.ssh/known_hosts`);
}

/** Of a host that was set up by serveSsh. */
export const startSshd = (server: SshHost) => server.shell("/usr/sbin/sshd -f /run/sshd/config -E /run/sshd/log");

/** What starts the command line, for a shell. */
export const startPath = () => `${process.execPath} ${PROGRAM}`;

/** Writes a file on a host. */
export const fileOn = (host: SshHost, path: string, text: string): string => {
  const done = host.run(["sh", "-ec", 'mkdir -p "$(dirname "$1")"; cat >"$1"', "sh", path], { input: text });
  if (done.code !== 0) throw new Error(done.stderr);
  return join("/", path);
};
