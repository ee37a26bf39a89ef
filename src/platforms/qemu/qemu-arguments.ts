import type { MachineForm } from "../../model/machine-form.ts";
import type { DomainPlan } from "../../model/plan.ts";
import { slotSockets } from "../guest/agent-lines.ts";
import type { GuestPaths } from "./guest-paths.ts";

/** What executes a guest's instructions: the processor, or a program that does as it does. */
export type Accelerator = "kvm" | "tcg";

interface GuestMachine {
  accelerator: Accelerator;
  paths: GuestPaths;
  form: MachineForm;
  /** Of the guest's interfaces, in their order. */
  mtus: number[];
}

/** Of code that TCG has translated and keeps, MiB. QEMU's own choice is a quarter of the guest's memory, 1 GiB at most. */
export const TRANSLATED_MIB = 64;

/** QEMU's command line for a guest. Its taps and files are there; it makes its sockets itself. */
export function qemuArguments(domain: DomainPlan, { accelerator, paths, form, mtus }: GuestMachine): string[] {
  const { limits, vifs, machine } = domain;
  const accel = accelerator === "kvm" ? "kvm" : `tcg,thread=multi,tb-size=${TRANSLATED_MIB}`;
  const options = [
    ["-name", comma(domain.name)],
    ["-nodefaults"],
    ["-no-user-config"],
    ["-display", "none"],
    ["-no-reboot"],
    ["-machine", "q35,usb=off,smbus=off,sata=off"],
    ["-accel", accel],
    ["-cpu", accelerator === "kvm" ? "host" : EMULATED],
    ["-smp", `${machine?.vcpus ?? 1}`],
    ["-m", `${Math.floor(limits.memoryBytes / 2 ** 20)}M`],
    ["-kernel", form.kernel],
    ["-initrd", form.initramfs],
    // Where others have the CPU, an emulated guest's timer seems broken to its kernel, which then hangs.
    ["-append", "console=ttyS0 quiet panic=-1 no_timer_check"],
    ["-sandbox", "on,obsolete=deny,elevateprivileges=allow,spawn=deny,resourcecontrol=deny"],
    // It has opened what it needs by then.
    ["-runas", "nobody"],
    ["-chardev", `file,id=console,path=${comma(paths.console)},append=on`],
    ["-serial", "chardev:console"],
    ...disk("root", paths.disk, "qcow2", `${throttling(domain)},discard=unmap,auto-read-only=off`),
    ...disk("configuration", paths.configurationDisk, "raw", ",readonly=on"),
    ["-device", "virtio-rng-pci"],
    ["-device", "virtio-serial-pci,max_ports=31"],
    ["-chardev", `file,id=log,path=${comma(paths.log)},append=on`],
    port("log"),
    // The guest's first console.
    socket("bell", paths.bell),
    ["-device", "virtconsole,chardev=bell,name=bell"],
    ...Array.from({ length: paths.lines.slots }, (_, slot) => slotPorts(paths, slot)).flat(),
    ...vifs.flatMap(({ vif, mac }, i) => {
      const mtu = mtus[i] ?? STANDARD_MTU;
      const ofMtu = mtu === STANDARD_MTU ? "" : `,host_mtu=${mtu}`;
      return [
        ["-netdev", `tap,id=net${i},ifname=${vif},script=no,downscript=no,vhost=off`],
        ["-device", `virtio-net-pci,netdev=net${i},mac=${mac},romfile=${ofMtu}`],
      ];
    }),
    // Last: when its socket is there, all are.
    socket("monitor", paths.monitor),
    ["-mon", "chardev=monitor,mode=control"],
  ];
  return options.flat();
}

/** An option and its value. */
type Option = [string, string];

/** A named model: what `max` is changes with QEMU. The newest of which TCG emulates all. */
const EMULATED = "Westmere";

const STANDARD_MTU = 1500;

function slotPorts(paths: GuestPaths, slot: number): Option[] {
  const { control, out, err, terminal } = slotSockets(paths.lines, slot);
  const ports = Object.entries({ control, out, err }).flatMap(([kind, path]) => [
    socket(`${kind}${slot}`, path),
    port(`${kind}${slot}`),
  ]);
  if (terminal === null) return ports;
  const id = `terminal${slot}`;
  return [...ports, socket(id, terminal), ["-device", `virtconsole,chardev=${id},name=${id}`]];
}

function socket(id: string, path: string): Option {
  return ["-chardev", `socket,id=${id},path=${comma(path)},server=on,wait=off`];
}

function port(id: string): Option {
  return ["-device", `virtserialport,chardev=${id},name=${id}`];
}

function disk(id: string, path: string, format: string, more: string): Option[] {
  return [
    ["-drive", `if=none,id=${id},file=${comma(path)},format=${format}${more}`],
    ["-device", `virtio-blk-pci,drive=${id},serial=${id}`],
  ];
}

/** The limits of a container's layer, kept by QEMU: cgroup v1 would see its direct I/O only. */
function throttling({ limits: { io } }: DomainPlan): string {
  const options = {
    "bps-read": io.readBytesPerSecond,
    "bps-write": io.writeBytesPerSecond,
    "iops-read": io.readIops,
    "iops-write": io.writeIops,
  };
  return Object.entries(options)
    .flatMap(([name, value]) => (value === undefined ? [] : [`,throttling.${name}=${value}`]))
    .join("");
}

/** In QEMU's lists of options a comma in a value is written twice. */
function comma(value: string): string {
  return value.replaceAll(",", ",,");
}
