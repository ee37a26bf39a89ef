import type { Command } from "../host/host.ts";

/** Where a foreign root file system is handled. */
export interface Sandbox {
  /** An empty folder that becomes the root of the sandbox. */
  directory: string;
  /** Written to, as /target. */
  target: string;
  /** File or folder that is read, as /source. */
  source: string;
}

/**
 * The machine's programs see a foreign tree at /target, and nothing else that could be written to: a symbolic link in it that
 * leads to /etc leads to an empty /etc. No network, no process of the machine; mounts end with the first process.
 */
export function sandboxed(
  { directory, target, source }: Sandbox,
  script: string,
  args: string[] = [],
): Pick<Command, "argv" | "env"> {
  return {
    argv: [
      ...(["env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8"] as const),
      ...(["setpriv", "--pdeathsig", "KILL", "--"] as const),
      ...(["unshare", "--mount", "--net", "--ipc", "--pid", "--fork", "--kill-child", "--mount-proc"] as const),
      ...(["sh", "-ec", SETUP, "sandbox", directory, target, source, script, ...args] as const),
    ],
  };
}

const SETUP = `
root=$1 target=$2 source=$3 script=$4
shift 4
mount -t tmpfs -o mode=0755,size=64m sandbox "$root"
mkdir "$root/usr" "$root/target" "$root/tmp" "$root/dev" "$root/etc"
: > "$root/dev/null"
mount --bind /dev/null "$root/dev/null"
mount --bind /usr "$root/usr"
mount -o remount,bind,ro "$root/usr"
for name in bin sbin lib lib32 lib64; do
  if [ -L "/$name" ]; then ln -s "usr/$name" "$root/$name"; fi
done
mount --bind "$target" "$root/target"
if [ -d "$source" ]; then mkdir "$root/source"; else : > "$root/source"; fi
mount --bind "$source" "$root/source"
mount -o remount,bind,ro "$root/source"
exec chroot "$root" sh -ec "$script" import "$@"
`;
