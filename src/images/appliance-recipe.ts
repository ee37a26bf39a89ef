import type { Recipe } from "../model/image.ts";
import { ROOT_LABEL } from "./compose-image.ts";

/** GRUB for the disk's first sectors, as its own program put it together in the new root. */
export const APPLIANCE_LOADER = { first: "/boot/grub/i386-pc/boot.img", rest: "/boot/grub/i386-pc/core.img" };

/** Where Cloison is on it. */
export const APPLIANCE_PROGRAM = "/opt/cloison";

const SYSTEM_PACKAGES = [
  "systemd-sysv",
  "udev",
  "dbus",
  "kmod",
  "ifupdown",
  "isc-dhcp-client",
  "openssh-server",
  "nano",
  "less",
  "linux-image-amd64",
  "xen-system-amd64",
  // Xen's own vif scripts call ifconfig.
  "net-tools",
  "grub-pc-bin",
  "grub-common",
  // Of the Node.js that comes along.
  "libstdc++6",
];

const MAKE_LOADER = `
mkdir -p /boot/grub/i386-pc
cd /boot
ln -s xen-*-amd64.gz xen.gz
cp /usr/lib/grub/i386-pc/*.mod /usr/lib/grub/i386-pc/*.lst /usr/lib/grub/i386-pc/boot.img grub/i386-pc
grub-mkimage -O i386-pc -o grub/i386-pc/core.img -p '(,gpt2)/boot/grub' biosdisk part_gpt ext2`;

/** Interfaces have the kernel's names: the first card is eth0 on every machine. */
const KERNEL = `root=LABEL=${ROOT_LABEL} ro net.ifnames=0 systemd.hostname=cloison console=tty0`;
const MENU = `set timeout=3
menuentry "Cloison, on Xen" {
  multiboot2 /boot/xen.gz placeholder dom0_mem=1024M,max:1024M console=com1,vga com1=115200,8n1
  module2 /vmlinuz placeholder ${KERNEL} console=hvc0
  module2 --nounzip /initrd.img
}
menuentry "Cloison, without Xen" {
  linux /vmlinuz ${KERNEL} console=ttyS0,115200
  initrd /initrd.img
}
`;

const WELCOME = `
Cloison, on Xen. The images of the study are there.

  cloison check                                      what works here
  cloison up ${APPLIANCE_PROGRAM}/program/examples/study/lab.yaml --platform xen
  cloison --help

Root's password is locked: who is at this console is root.

`;

const autologin = (options: string) => `[Service]
ExecStart=
ExecStart=-/sbin/agetty --autologin root --noclear ${options} %I $TERM
`;

const file = (content: string, mode = "0644") => ({ content, mode });

/**
 * Debian that boots Xen by a BIOS, with what Cloison wants of a machine.
 * @param packages that Cloison wants
 * @param release code name of Debian
 * @param sshKeys who may log in as root, as lines of authorized_keys; null: nobody
 */
export function applianceRecipe(packages: readonly string[], release: string, sshKeys: string | null): Recipe {
  const starter = `#!/bin/sh\nexec ${APPLIANCE_PROGRAM}/node ${APPLIANCE_PROGRAM}/program/dist/cloison.cjs "$@"\n`;
  return {
    base: "minbase",
    packages: [...new Set([...SYSTEM_PACKAGES, ...packages])],
    files: {
      "/etc/fstab": file(`LABEL=${ROOT_LABEL} / ext4 defaults,noatime 0 1\n`),
      "/etc/apt/sources.list.d/debian.list": file(`deb http://deb.debian.org/debian ${release} main\n`),
      "/etc/network/interfaces": file("auto lo\niface lo inet loopback\n\nallow-hotplug eth0\niface eth0 inet dhcp\n"),
      "/etc/systemd/system/getty@tty1.service.d/autologin.conf": file(autologin("")),
      "/etc/systemd/system/serial-getty@.service.d/autologin.conf": file(autologin("--keep-baud 115200,9600")),
      "/etc/motd": file(WELCOME),
      "/boot/grub/grub.cfg": file(MENU),
      "/usr/local/bin/cloison": file(starter, "0755"),
      ...(sshKeys === null ? {} : { "/root/.ssh/authorized_keys": file(sshKeys, "0600") }),
    },
    commands: [MAKE_LOADER],
    services: {},
  };
}
