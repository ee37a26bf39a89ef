import { afterAll, beforeAll, expect, test } from "vitest";
import type { DomainRow } from "../../src/app/inspect.ts";
import type { Result } from "../../src/model/result.ts";
import { LAB_NEEDS, needs } from "../needs.ts";
import { createSandbox, prepareProgram, PROGRAM, type Ended, type Sandbox } from "../sandbox.ts";
import { createSshHost, fileOn, serveSsh, startPath, wire, type SshHost } from "../ssh-hosts.ts";

const CLIENT = "10.211.0.1";
const SERVER = "10.211.0.2";
const HOST = `ssh://root@${SERVER}`;

const lab = (host: string) => `
name: far
${host}
images:
  plain: { recipe: plain }
networks:
  lan: { subnet: 10.79.0.0/24 }
domains:
  one: { image: plain, memory: 64M, pids: 64 }
  two: { image: plain, memory: 64M, pids: 64 }
`;

const WEB = `
name: measured
host: ${HOST}
images: { web: { recipe: web } }
networks:
  lan: { subnet: 10.80.0.0/24 }
domains:
  www: { image: web, memory: 128M, pids: 100, sites: [{ name: www, workers: 8 }] }
`;

const EXPERIMENT = `
name: measured
lab: lab.yaml
platforms: [container]
blocks: 1
duration: 1s
settle: 200ms
probes:
  - { probe: http, target: www, path: /index.html, rate: 50 }
annex: { blocks: 1, requests: 10, concurrency: 2, runs: 1 }
phases: { reference: {}, same: {} }
`;

needs(
  ...LAB_NEEDS,
  "sshd",
  "tini",
  "tcpdump",
)("a lab on another host", () => {
  let here: Sandbox;
  let client: SshHost;
  let server: SshHost;
  /** What the same lab answers without ssh. */
  let local: { domains: DomainRow[]; verified: string };

  beforeAll(async () => {
    prepareProgram();
    here = await createSandbox();
    const file = `${here.folder}/near.yaml`;
    here.run(["sh", "-c", 'cat >"$1"', "sh", file], { input: lab("") });
    const succeed = (...args: string[]) => succeeded(here.cloison(...args)).stdout;
    succeed("up", file);
    local = { domains: domainsOf(succeed("ps", "far", "--json")), verified: succeed("net", "verify", "far") };
    succeed("down", "far");
    client = await createSshHost("here", { isServer: false });
    server = await createSshHost("there", { isServer: true });
    wire({ host: client, name: "wire", address: CLIENT }, { host: server, name: "wire", address: SERVER });
    serveSsh(server, client, SERVER);
    fileOn(client, "/root/far.yaml", lab(`host: ${HOST}`));
  });
  afterAll(async () => {
    await server.close();
    await client.close();
    await here.close();
  });

  /** Pids are each run's own. */
  const domainsOf = (json: string) => (JSON.parse(json) as DomainRow[]).map((row) => ({ ...row, pid: null }));
  const succeeded = (ended: Ended) => {
    expect(ended).toMatchObject({ code: 0 });
    return ended;
  };
  const succeed = (...args: string[]) => succeeded(client.cloison(...args)).stdout;
  /** What the host has of Cloison, and of labs. */
  const there = (path: string) => server.run(["find", path, "-mindepth", "1"]).stdout;
  const until = async (what: string, isSo: () => boolean) => {
    for (const endMs = performance.now() + 20_000; !isSo();) {
      if (performance.now() > endMs) throw new Error(`never: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };

  test("is refused in a line where there is no way in, and nothing is sent", () => {
    const known = client.shell("cat /root/.ssh/known_hosts").stdout;
    const refused = (host: string) => client.cloison("check", "--host", host).stderr.split("\n")[0];
    expect(refused(`${HOST}:2`)).toContain(`${HOST}:2 can't be reached: ssh: connect to host ${SERVER} port 2`);
    expect(refused("ssh://nowhere.invalid")).toBe("ssh://nowhere.invalid: nothing is known by this name");
    expect(refused("ssh://nobody@10.211.0.2")).toBe("ssh://nobody@10.211.0.2: it does not let you in");
    client.shell("mv /root/.ssh/known_hosts /root/known");
    expect(refused(HOST)).toBe(`${HOST}: its host key is not known here; nothing was sent`);
    fileOn(
      client,
      "/root/.ssh/known_hosts",
      known.replace(/ \S+\n/, ` ${client.shell("cut -d' ' -f2 /root/.ssh/id_ed25519.pub").stdout}`),
    );
    expect(refused(HOST)).toBe(`${HOST}: its host key is not the one that is known of it; nothing was sent`);
    client.shell("mv /root/known /root/.ssh/known_hosts");
    expect(refused("ssh://-oProxyCommand=true")).toBe("ssh://-oProxyCommand=true is no host");
    expect(server.run(["ls", "-A", "/root/.cache"]).code).not.toBe(0);
  });

  test("is refused where what Cloison needs has no room, and nothing is left of it", () => {
    server.shell("mkdir /root/.cache; mount -t tmpfs -o size=1m tmpfs /root/.cache");
    const refused = client.cloison("ls", "--host", HOST);
    expect(refused).toMatchObject({ code: 3, stdout: "" });
    expect(refused.stderr).toContain(`${HOST} has no room in /root/.cache/cloison for what Cloison needs there\n`);
    expect(there("/root/.cache/cloison")).toBe("");
    server.shell("umount /root/.cache");
  });

  test("two commands that come first at once both send Cloison, and both find it", async () => {
    const both = await Promise.all(
      [0, 1].map(() => client.start([process.execPath, PROGRAM, "ls", "--host", HOST]).ended),
    );
    for (const ended of both) expect(succeeded(ended).stdout).toBe("there is no lab; cloison up FILE makes one\n");
    expect(server.shell("ls -A /root/.cache/cloison").stdout).toMatch(/^node-v\S+\nprogram-\S+\nwork\n$/);
    expect(there("/root/.cache/cloison/work")).toBe("");
  });

  test("what an image's file names goes with it", () => {
    fileOn(client, "/root/i/parts/motd", "hello\n");
    const file = fileOn(client, "/root/i/image.yaml", "recipe: plain\nfiles: { /etc/motd: { from: parts/motd } }\n");
    succeed("image", "create", "--no-build", "greeting", file, "--host", HOST);
    expect(succeed("image", "show", "greeting", "--json", "--host", HOST)).toContain('"content": "hello\\n"');
    succeed("image", "remove", "greeting", "--host", HOST);
  });

  test("comes up, answers as here, and goes", () => {
    const nowhere = lab("").replace("image: plain, memory", "image: plain, nics: [{ network: nowhere }], memory");
    const refused = client.cloison("up", fileOn(client, "/root/bad.yaml", nowhere), "--host", HOST);
    expect(refused.stderr).toMatch(/^\/root\/bad\.yaml:\d+:\d+ domains\.one\.nics/);
    expect(refused.code).toBe(2);

    expect(succeed("up", "/root/far.yaml")).toBe("lab far is up on container: one, two\n");
    expect(domainsOf(succeed("ps", "far", "--json"))).toEqual(local.domains);
    expect(succeed("net", "verify", "far")).toBe(local.verified);
    expect(succeed("ls")).toMatch(/^far +container +2\/2 +up +ssh:\/\/root@10\.211\.0\.2$/m);
    expect(succeed("ps").match(/^far .*/gm)).toHaveLength(2);
    expect(client.cloison("up", "/root/far.yaml", "--host", "ssh://root@other")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`there is a lab far on ${HOST} already`) as string,
    });

    const words = client.cloison(
      "exec",
      "far",
      "one",
      "--",
      "sh",
      "-c",
      'printf "%s|" "$@"; exit 7',
      "sh",
      "a b",
      "$x",
      "'",
      "",
    );
    expect(words).toMatchObject({ code: 7, stdout: "a b|$x|'||" });
    const run = client.run([process.execPath, PROGRAM, "exec", "far", "two", "--", "cat"], { input: "a\0b\n" });
    expect(run).toMatchObject({ code: 0, stdout: "a\0b\n" });

    const terminal = ["script", "-qec", `${startPath()} exec far one -- sh -c "tty; exit 5"`, "/dev/null"];
    expect(client.run(terminal)).toMatchObject({
      code: 5,
      stdout: expect.stringMatching(/^\/dev\/\S+\r\n$/) as string,
    });

    client.shell(`
${startPath()} net capture far --on vif1.0 -c 2 -w /root/two.pcapng icmp 2>/root/said &
until grep -q listening /root/said; do sleep 0.1; done
${startPath()} exec far one -- ping -c 2 10.79.0.1
wait`);
    expect(client.run(["tcpdump", "-r", "/root/two.pcapng"]).stdout.trim().split("\n")).toHaveLength(2);

    expect(succeed("down", "far")).toBe("lab far: removed\n");
    expect(succeed("ls")).toBe("there is no lab; cloison up FILE makes one\n");
    expect(there("/run/state/labs")).toBe("");
    expect(there("/root/.cache/cloison/work")).toBe("");
  });

  test("Ctrl-C takes it down there", async () => {
    const up = client.start(["sh", "-c", `echo $$ >/run/up; exec ${startPath()} up /root/far.yaml`]);
    await until("it is begun", () => there("/run/state/labs").includes("journal"));
    client.shell("kill -INT $(cat /run/up)");
    expect(await up.ended).toMatchObject({ code: 130 });
    expect(there("/run/state/labs")).toBe("");
    expect(there("/root/.cache/cloison/work")).toBe("");
  });

  test("a lost connection takes it down there, and is told here", async () => {
    const up = client.start(["sh", "-c", `exec ${startPath()} up /root/far.yaml`]);
    await until("it is begun", () => there("/run/state/labs").includes("journal"));
    server.shell("kill -KILL $(pgrep -f '^sshd: root')");
    const ended = await up.ended;
    expect(ended).toMatchObject({ code: 5 });
    expect(ended.stderr).toContain(`the connection to ${HOST} was lost; what ran there ends as on Ctrl-C\n`);
    await until("it is gone", () => there("/run/state/labs") === "" && there("/root/.cache/cloison/work") === "");
    expect(succeed("ls")).toBe("there is no lab; cloison up FILE makes one\n");
  });

  test("a backup comes here, and goes back", () => {
    succeed("up", "/root/far.yaml");
    succeed("exec", "far", "one", "--", "sh", "-c", "echo mine >/root/file");
    succeed("backup", "far", "/root/far.tar.zst");
    expect(there("/run/state/backups")).toBe("");
    succeed("down", "far");
    expect(succeed("restore", "/root/far.tar.zst", "--host", HOST)).toContain("far");
    expect(succeed("exec", "far", "one", "--", "cat", "/root/file")).toBe("mine\n");
    succeed("down", "far");
    expect(there("/run/state/labs")).toBe("");
  });

  test("a run measures there, and what it has measured is here", () => {
    fileOn(client, "/root/run/lab.yaml", WEB);
    fileOn(client, "/root/run/experiment.yaml", EXPERIMENT);
    const { code, stderr } = client.cloison("run", "/root/run/experiment.yaml", "--out", "/root/measured", "--json");
    // Whether it is valid is the machine's affair.
    expect({ code, stderr }).toMatchObject({ code: expect.toSatisfy((one) => one === 0 || one === 1) as number });
    const result = JSON.parse(client.shell("cat /root/measured/result.json").stdout) as Result;
    expect(result.complete).toBe(true);
    expect(new Set(result.trials.map(({ phase }) => phase))).toEqual(new Set(["reference", "same"]));
    expect(client.shell("ls /root/measured").stdout).toContain("report.html\n");
    expect(succeed("ls")).toBe("there is no lab; cloison up FILE makes one\n");
    expect(there("/run/state/labs")).toBe("");
    expect(there("/root/.cache/cloison/work")).toBe("");
  });
});
