import type { Command, Host } from "../host/host.ts";
import { LabError } from "../model/error.ts";
import type { Switch } from "../model/network-state.ts";
import type { NamespaceName } from "../model/plan.ts";
import { switchInstance } from "./instance.ts";
import { stopSwitches } from "./lifecycle.ts";
import { createSwitchDriver } from "./switch-driver.ts";

const TIMEOUT_MS = 10_000;
const TCP_TIMEOUT_MS = 5000;

/** A VLAN that is no lab's in particular. */
const VLAN = 2;

/**
 * Has a switch of Open vSwitch, started for it, carry a ping and TCP between two namespaces; removes all again.
 * @param run folder of run-time state, `/run/cloison`
 * @returns what was done, for people
 * @throws LabError: why it does not work here
 */
export async function trySwitch(host: Host, run: string): Promise<string> {
  // Two at once are two trials. Trials' names begin like this, so that what a crash leaves is found.
  const lab = `_check-${host.clock.nowMs().toString(36)}-switch`;
  const [middle, one, two] = ["host", "one", "two"].map((part) => `cloison.${lab}.${part}`) as [string, string, string];
  const instance = switchInstance(run, middle, host.machine.cpus);
  const wanted: Switch[] = [
    {
      name: "switch0",
      ports: ["vif1", "vif2"].map((link) => ({ link, vlan: { access: VLAN }, guard: null })),
    },
  ];
  await host.namespaces.create([middle, one, two]);
  try {
    await addMachine(host, middle, "vif1", one, "192.0.2.1/30");
    await addMachine(host, middle, "vif2", two, "192.0.2.2/30");
    await createSwitchDriver(() => instance).apply(host, middle, wanted);
    await within(host, one, ["ping", "-c", "1", "-w", "5", "192.0.2.2"]);
    await tryTcp(host, one, "192.0.2.2");
    return "a switch in userspace carried a ping and TCP";
  } finally {
    await stopSwitches(host, instance);
    await host.files.remove(`${run}/${lab}`);
    await host.namespaces.remove([middle, one, two]);
  }
}

/**
 * Makes an 802.1Q sub-interface in a namespace of its own, and removes it.
 * @returns what was done, for people
 * @throws LabError: the kernel cannot
 */
export async function tryKernelVlan(host: Host): Promise<string> {
  const namespace = `cloison._check-${host.clock.nowMs().toString(36)}-vlan.host`;
  await host.namespaces.create([namespace]);
  try {
    await within(host, namespace, ["ip", "link", "add", "eth0", "type", "veth", "peer", "name", "trunk0"]);
    const name = `eth0.${VLAN}`;
    const argv: Command["argv"] = ["ip", "link", "add", "link", "eth0", "name", name, "type", "vlan", "id", `${VLAN}`];
    const { code, stderr } = await host.processes.run({ argv, namespace, timeoutMs: TIMEOUT_MS });
    if (code === 0) return "an 802.1Q sub-interface was made and removed";
    throw new LabError(`the kernel makes no 802.1Q sub-interface: ${stderr.trim()}`, {
      hint: "modprobe 8021q, where the kernel has the module; else VLANs go through Open vSwitch",
    });
  } finally {
    await host.namespaces.remove([namespace]);
  }
}

/** Nobody listens, and that answer comes only if both segments arrive with right checksums, which their senders leave out. */
async function tryTcp(host: Host, namespace: NamespaceName, address: string): Promise<void> {
  const { timedOut } = await host.processes.run({
    argv: ["bash", "-c", `exec 3<>/dev/tcp/${address}/9`],
    namespace,
    timeoutMs: TCP_TIMEOUT_MS,
  });
  if (!timedOut) return;
  throw new LabError("Open vSwitch carries a ping and no TCP: its userspace-tso-enable does not work here", {
    hint: "Open vSwitch 3.1 does; VLANs of a kernel with 802.1Q need none of it",
  });
}

async function addMachine(
  host: Host,
  middle: NamespaceName,
  vif: string,
  namespace: NamespaceName,
  address: string,
): Promise<void> {
  const peer = ["name", "eth0", "netns", namespace];
  await within(host, middle, ["ip", "link", "add", vif, "type", "veth", "peer", ...peer]);
  await within(host, middle, ["ip", "link", "set", vif, "up"]);
  await within(host, namespace, ["ip", "address", "add", address, "dev", "eth0"]);
  await within(host, namespace, ["ip", "link", "set", "eth0", "up"]);
}

async function within(host: Host, namespace: NamespaceName, argv: Command["argv"]): Promise<void> {
  await host.processes.must({ argv, namespace, timeoutMs: TIMEOUT_MS });
}
