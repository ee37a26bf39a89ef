import type { ImageUser, Recipe } from "../model/image.ts";

/** Shell for inside the new root that makes the recipe's users and lets root in as it says. Needs the package passwd. */
export function accountCommands({ users = {}, rootPasswordHash }: Recipe): string[] {
  return [
    ...Object.entries(users).map(([name, user]) => userCommand(name, user)),
    ...(rootPasswordHash === undefined ? [] : [`printf '%s\\n' 'root:${rootPasswordHash}' | chpasswd --encrypted`]),
  ];
}

/** Names, numbers and hashes have been checked by the schema; public keys may have any comment. */
function userCommand(name: string, { uid, groups, shell, passwordHash, sshKeys }: ImageUser): string {
  const home = `/home/${name}`;
  return [
    ...groups.map((group) => `getent group ${group} >/dev/null || groupadd --system ${group}`),
    [
      `useradd --create-home --home-dir ${home} --shell ${quote(shell)}`,
      ...(uid === undefined ? [] : [`--uid ${uid}`]),
      ...(groups.length === 0 ? [] : [`--groups ${groups.join(",")}`]),
      // Without a password the account is locked: useradd(8).
      ...(passwordHash === undefined ? [] : [`--password '${passwordHash}'`]),
      name,
    ].join(" "),
    ...(sshKeys.length === 0
      ? []
      : [
          `mkdir -m 0700 ${home}/.ssh`,
          ...sshKeys.map((key) => `printf '%s\\n' ${quote(key)} >> ${home}/.ssh/authorized_keys`),
          `chmod 0600 ${home}/.ssh/authorized_keys`,
          `chown -R ${name}: ${home}/.ssh`,
        ]),
  ].join("\n");
}

function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
