import { expect, test } from "vitest";
import { machineForm } from "../../model/machine-form.ts";
import type { DomainPlan } from "../../model/plan.ts";
import { guestPaths } from "./guest-paths.ts";
import { qemuArguments, type Accelerator } from "./qemu-arguments.ts";

const DOMAIN = {
  name: "www",
  limits: { memoryBytes: 256 * 2 ** 20, io: { writeIops: 50, readBytesPerSecond: 1_000_000 } },
  vifs: [
    { vif: "vif1.0", guest: "eth0", mac: "00:16:3e:00:00:01" },
    { vif: "vif1.1", guest: "eth1", mac: "00:16:3e:00:00:02" },
  ],
  machine: { accel: "auto", vcpus: 2 },
} as unknown as DomainPlan;

const paths = guestPaths({ directory: "/state/labs/odd,name", cgroup: "cloison/odd" }, "www");

/** Each option with its value, a line. */
function lines(accelerator: Accelerator): string[] {
  const argv = qemuArguments(DOMAIN, {
    accelerator,
    paths,
    form: machineForm("/images/key/rootfs", 2 ** 30),
    mtus: [1500, 1400],
  });
  return argv
    .join(" ")
    .split(/ (?=-[a-z])/)
    .filter((line) => !/(control|out|err|terminal)[1-5]/.test(line));
}

test("the command line of a guest", () => {
  expect(lines("tcg")).toMatchInlineSnapshot(`
    [
      "-name www",
      "-nodefaults",
      "-no-user-config",
      "-display none",
      "-no-reboot",
      "-machine q35,usb=off,smbus=off,sata=off",
      "-accel tcg,thread=multi,tb-size=64",
      "-cpu Westmere",
      "-smp 2",
      "-m 256M",
      "-kernel /images/key/machine/kernel",
      "-initrd /images/key/machine/initramfs",
      "-append console=ttyS0 quiet panic=-1 no_timer_check",
      "-sandbox on,obsolete=deny,elevateprivileges=allow,spawn=deny,resourcecontrol=deny",
      "-runas nobody",
      "-chardev file,id=console,path=/state/labs/odd,,name/domains/www/output/console,append=on",
      "-serial chardev:console",
      "-drive if=none,id=root,file=/state/labs/odd,,name/domains/www/disk.qcow2,format=qcow2,throttling.bps-read=1000000,throttling.iops-write=50,discard=unmap,auto-read-only=off",
      "-device virtio-blk-pci,drive=root,serial=root",
      "-drive if=none,id=configuration,file=/state/labs/odd,,name/domains/www/configuration.tar,format=raw,readonly=on",
      "-device virtio-blk-pci,drive=configuration,serial=configuration",
      "-device virtio-rng-pci",
      "-device virtio-serial-pci,max_ports=31",
      "-chardev file,id=log,path=/state/labs/odd,,name/domains/www/output/log,append=on",
      "-device virtserialport,chardev=log,name=log",
      "-chardev socket,id=bell,path=/run/cloison/qemu/odd/www/bell,server=on,wait=off",
      "-device virtconsole,chardev=bell,name=bell",
      "-chardev socket,id=control0,path=/run/cloison/qemu/odd/www/control0,server=on,wait=off",
      "-device virtserialport,chardev=control0,name=control0",
      "-chardev socket,id=out0,path=/run/cloison/qemu/odd/www/out0,server=on,wait=off",
      "-device virtserialport,chardev=out0,name=out0",
      "-chardev socket,id=err0,path=/run/cloison/qemu/odd/www/err0,server=on,wait=off",
      "-device virtserialport,chardev=err0,name=err0",
      "-chardev socket,id=terminal0,path=/run/cloison/qemu/odd/www/terminal0,server=on,wait=off",
      "-device virtconsole,chardev=terminal0,name=terminal0",
      "-netdev tap,id=net0,ifname=vif1.0,script=no,downscript=no,vhost=off",
      "-device virtio-net-pci,netdev=net0,mac=00:16:3e:00:00:01,romfile=",
      "-netdev tap,id=net1,ifname=vif1.1,script=no,downscript=no,vhost=off",
      "-device virtio-net-pci,netdev=net1,mac=00:16:3e:00:00:02,romfile=,host_mtu=1400",
      "-chardev socket,id=monitor,path=/run/cloison/qemu/odd/www/monitor,server=on,wait=off",
      "-mon chardev=monitor,mode=control",
    ]
  `);
});

test("by KVM it has the processor's own features", () => {
  expect(lines("kvm").filter((line) => /^-(accel|cpu)/.test(line))).toEqual(["-accel kvm", "-cpu host"]);
});

test("all sockets have names that the kernel takes", () => {
  const argv = qemuArguments(DOMAIN, { accelerator: "tcg", paths, form: machineForm("/i/rootfs", null), mtus: [] });
  const sockets = argv.flatMap((word) => /^socket,.*path=([^,]+)/.exec(word)?.[1] ?? []);
  expect(sockets.length).toBe(22);
  for (const path of sockets) expect(path).toMatch(/^\/run\/cloison\/qemu\/odd\/www\/[a-z0-9]+$/);
});
