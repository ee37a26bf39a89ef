import { readFileSync } from "node:fs";
import type { Recipe } from "../../src/model/image.ts";

const guest = (name: string) => readFileSync(new URL(`guest/${name}`, import.meta.url), "utf8");

const SHARE = "/usr/local/share/xen-host";

/** dom0 of the emulated Xen host: Xen and its toolstack, a kernel, sshd, and what Cloison's labs want of a machine. */
export const XEN_HOST_RECIPE: Recipe = {
  base: "minbase",
  packages: [
    "xen-system-amd64",
    // What serves disks of QEMU's format, and consoles beside the first.
    "qemu-system-xen",
    "qemu-utils",
    // Xen's own vif scripts call ifconfig.
    "net-tools",
    "linux-image-amd64",
    // Instead of initramfs-tools, which take minutes to make what is not used.
    "tiny-initramfs",
    "xz-utils",
    "zstd",
    // Of backups.
    "qemu-system-common",
    "rsync",
    "busybox-static",
    "kmod",
    "procps",
    "openssh-server",
    "iproute2",
    "iputils-ping",
    "nftables",
    "dnsmasq-base",
    "ethtool",
    "tcpdump",
    "traceroute",
    // What images want of a machine, though none is built here.
    "mmdebstrap",
    "bzip2",
    "runc",
    "tini",
    // Of the Node.js that a test brings.
    "libstdc++6",
  ],
  files: {
    "/usr/local/sbin/start-dom0": { content: guest("start-dom0"), mode: "0755" },
    "/usr/local/sbin/authorized-key": { content: guest("authorized-key"), mode: "0755" },
    "/etc/inittab": { content: guest("inittab"), mode: "0644" },
    "/etc/ssh/sshd_config": { content: guest("sshd.conf"), mode: "0644" },
    [`${SHARE}/initramfs-init`]: { content: guest("initramfs-init"), mode: "0755" },
    [`${SHARE}/domain-init`]: { content: guest("domain-init"), mode: "0755" },
    [`${SHARE}/build-boot`]: { content: guest("build-boot"), mode: "0755" },
  },
  commands: [`${SHARE}/build-boot`, "ln -s /bin/busybox /sbin/init", "mkdir /brought"],
  services: {},
};
