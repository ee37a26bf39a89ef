/** Files of one emulated machine. */
export interface MachineFiles {
  /** Xen, dom0's kernel and its initramfs, uncompressed. */
  boot: string;
  /** qcow2; written to. */
  disk: string;
  /** Folder that the machine can mount read-only, by the tag `brought`. */
  brought: string;
  /** What Xen and dom0 print. */
  console: string;
  /** Socket of QEMU's monitor. */
  monitor: string;
  /** Of a second card, to another machine; absent: it leads nowhere. */
  wire?: Wire;
}

/** A socket that one of two machines waits at, and the other one connects to. */
export interface Wire {
  path: string;
  end: "waits" | "connects";
}

const XEN =
  "dom0_mem=768M,max:768M dom0_max_vcpus=1 console=com1 com1=115200,8n1 noreboot=1 spec-ctrl=no xpti=no pv-l1tf=no";
const DOM0 = "root=/dev/vda console=hvc0 mitigations=off panic=1 quiet";

/**
 * The machine: two emulated CPUs and 2 GiB, of which dom0, where each domain has a QEMU, has 768 MiB. dom0 has one of the CPUs: the
 * clocks of two emulated ones differ, and frames are put in order by them. A Nehalem, because dom0's kernel dies of SMAP, which newer ones
 * have and QEMU emulates in a way that Xen's paravirtual guests do not survive.
 *
 * Its card is QEMU's user network, from which nothing leads out; port 22 is one of 127.0.0.1 that the kernel chooses. A second
 * card leads to another such machine, if there is one.
 */
export function qemuCommand(files: MachineFiles, incoming: string | null): [string, ...string[]] {
  // Of QEMU's options a comma is doubled, as of the list of multiboot modules.
  const quoted = (text: string) => text.replaceAll(",", ",,");
  const options: Record<string, string>[] = [
    { machine: "q35", accel: "tcg,thread=multi,tb-size=512", cpu: "Nehalem", smp: "2", m: "2048", display: "none" },
    { kernel: `${files.boot}/xen`, append: XEN },
    { initrd: `${quoted(`${files.boot}/vmlinux ${DOM0}`)},${quoted(`${files.boot}/initramfs`)}` },
    { drive: `file=${quoted(files.disk)},format=qcow2,if=virtio,cache=unsafe` },
    { virtfs: `local,path=${quoted(files.brought)},security_model=none,readonly=on,mount_tag=brought` },
    { netdev: "user,id=user,restrict=on,hostfwd=tcp:127.0.0.1:0-:22", device: "virtio-net-pci,netdev=user" },
    { netdev: wireOptions(quoted, files.wire), device: "virtio-net-pci,netdev=wire" },
    { serial: `file:${quoted(files.console)}`, qmp: `unix:${quoted(files.monitor)},server=on,wait=off` },
    incoming === null ? {} : { incoming },
  ];
  const words = options.flatMap((some) => Object.entries(some)).flatMap(([name, value]) => [`-${name}`, value]);
  return ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-no-reboot", ...words];
}

function wireOptions(quoted: (text: string) => string, wire: Wire | undefined): string {
  if (wire === undefined) return "hubport,id=wire,hubid=1";
  const { path, end } = wire;
  return `stream,id=wire,server=${end === "waits" ? "on" : "off"},addr.type=unix,addr.path=${quoted(path)}`;
}
