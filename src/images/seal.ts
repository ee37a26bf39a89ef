import type { Recipe } from "../model/image.ts";

/** Run once in each new domain before its services, where an image has it; platforms look for it (platforms/init-script.ts). */
const FIRST_BOOT = "/usr/lib/cloison/first-boot";

/** What must not be the same in all copies is made here. The directory is one that systemd would make. */
export const FIRST_BOOT_SCRIPT = `#!/bin/sh
set -e
[ ! -x /usr/sbin/sshd ] || mkdir -p /run/sshd
[ ! -x /usr/bin/ssh-keygen ] || ssh-keygen -A
`;

/** The same where a disk of the image is booted by systemd. An empty line forgets the unit's own: it checks keys first. */
const SSH_UNIT_PART = `[Service]
ExecStartPre=
ExecStartPre=/usr/bin/ssh-keygen -A
ExecStartPre=/usr/sbin/sshd -t
`;

/**
 * Shell for inside the new root, last of all: takes out what every copy would share. Root cannot log in by a password unless the
 * recipe says so, whatever packages and hooks did.
 */
export function sealScript({ rootPasswordHash }: Recipe): string {
  return `
rm -f /etc/passwd- /etc/group- /etc/shadow- /etc/gshadow- /etc/ssh/ssh_host_* /var/lib/systemd/random-seed /root/.bash_history
[ -L /var/lib/dbus/machine-id ] || rm -f /var/lib/dbus/machine-id
[ ! -e /etc/machine-id ] || : > /etc/machine-id
${rootPasswordHash === undefined ? "[ ! -e /etc/shadow ] || sed -i 's|^root:[^:]*:|root:*:|' /etc/shadow" : ""}
if [ -x /usr/sbin/sshd ]; then
  mkdir -p /usr/lib/cloison /etc/systemd/system/ssh.service.d
  cat > ${FIRST_BOOT} <<'END'
${FIRST_BOOT_SCRIPT}END
  chmod 0755 ${FIRST_BOOT}
  cat > /etc/systemd/system/ssh.service.d/cloison-first-boot.conf <<'END'
${SSH_UNIT_PART}END
fi
`;
}
