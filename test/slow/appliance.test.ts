import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { LAB_NEEDS, needs } from "../needs.ts";
import { createSandbox, prepareProgram, type Sandbox } from "../sandbox.ts";

/** One web server of the study's image, small. */
const LAB = `{ name: class, platform: xen, images: { web: { recipe: web } }, networks: { lan: { subnet: 10.85.0.0/24 } },
  domains: { site: { image: web, memory: 128M, disk: 1G, sites: [{ name: site, workers: 2 }] } } }`;

/** Everything here happens on emulated CPUs. */
const BOOT_MS = 400_000;
const COMMAND_MS = 300_000;
const STUDY_MS = 1_800_000;

const DIES_WITH_PARENT = ["setpriv", "--pdeathsig", "KILL", "--"];
const MORTAL = [...DIES_WITH_PARENT, "timeout", "--foreground", "--signal=KILL", "4000", ...DIES_WITH_PARENT];
const MACHINE = [
  "-machine",
  "q35",
  "-accel",
  "tcg,thread=multi,tb-size=512",
  "-cpu",
  "Nehalem",
  "-smp",
  "2",
  "-m",
  "3072",
];

needs(
  ...LAB_NEEDS,
  "apt",
  "mmdebstrap",
  "qemu",
  "qemu-img",
)("the appliance", () => {
  let sandbox: Sandbox;
  let machine: ChildProcess;
  let printed = "";
  let asked = 0;

  /** Types a command at the console's prompt. @returns what it printed */
  async function typed(command: string, timeout = COMMAND_MS): Promise<string> {
    const mark = `end${++asked}-`;
    const from = printed.length;
    machine.stdin?.write(`${command}; echo ${mark}$?\n`);
    const ended = new RegExp(`\\n${mark}(\\d+)`);
    const since = () => printed.slice(from);
    await vi
      .waitUntil(() => ended.test(since()), { timeout, interval: 200 })
      .catch(() => expect.unreachable(`${command} has not ended; the console says: ${since().slice(-2000)}`));
    const said = printed.slice(from);
    if (ended.exec(said)?.[1] !== "0") throw new Error(`${command} failed; the console says: ${said}`);
    return said.slice(said.indexOf("\n") + 1, said.search(ended)).replaceAll("\r", "");
  }

  beforeAll(async () => {
    prepareProgram();
    sandbox = await createSandbox();
    const disk = join(sandbox.folder, "class.qcow2");
    sandbox.succeed("image", "appliance", disk);
    const drive = ["-drive", `file=${disk},format=qcow2,if=virtio,cache=unsafe`];
    const card = ["-netdev", "user,id=user,restrict=on", "-device", "virtio-net-pci,netdev=user"];
    const options = ["-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-serial", "stdio"];
    const [program = "", ...args] = [...MORTAL, "qemu-system-x86_64", ...options, ...MACHINE, ...drive, ...card];
    machine = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
    machine.stdout?.setEncoding("latin1").on("data", (text: string) => (printed += text));
    await vi.waitUntil(() => printed.includes("root@cloison:~#"), { timeout: BOOT_MS, interval: 200 });
    // Its marks would stand in what commands print. What is typed while the shell takes its terminal over is lost.
    const unmarked = () => typed("bind 'set enable-bracketed-paste off'", 30_000);
    await unmarked().catch(unmarked).catch(unmarked);
  }, 1_500_000);
  afterAll(async () => {
    machine.kill("SIGKILL");
    await once(machine, "close");
    await sandbox.close();
  });

  test("boots Xen by its BIOS, and holds no secret", async () => {
    expect(await typed("xl info")).toMatch(/^xen_version +: 4\.\d+/m);
    expect(await typed("grep ^root: /etc/shadow")).toMatch(/^root:\*:/);
    expect(await typed("systemctl is-system-running --wait || systemctl --failed --no-legend")).toContain("running");
  });

  test("brings up a lab of the study's images, without a network", async () => {
    await typed(`printf '%s' '${LAB.replaceAll("\n", " ")}' >class.yaml && echo`);
    await typed("cloison up class.yaml --no-install");
    const ask = `/opt/cloison/node -e 'fetch("http://10.85.0.11/").then((page) => page.text()).then(console.log)'`;
    expect(await typed(`ip netns exec cloison.class.station ${ask}`)).toContain("<html");
    await typed("cloison down class");
    expect(await typed("xl list | grep -c cloison; true")).toMatch(/^0$/m);
  });

  test("the study's every phase is run on Xen, and no figure is given for a measurement", async () => {
    const study = "cloison study --platforms xen --scale functional --out run --no-install";
    const said = await typed(study, STUDY_MS);
    expect(said).toContain("This run is functional: everything works, nothing was measured");
    expect(said).toMatch(/8 trials in 1 block/i);
    expect(await typed("xl list | grep -c cloison; true")).toMatch(/^0$/m);
  });
});
