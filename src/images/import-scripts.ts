/**
 * What no two copies of a system may share, and devices, which domains have of their own.
 * Patterns of tar, for names with and without `./` before them.
 */
const LEFT_OUT = ["etc/ssh/ssh_host_*", "dev/*", "proc/*", "sys/*", "run/*"]
  .flatMap((pattern) => [`--exclude='${pattern}'`, `--exclude='./${pattern}'`])
  .join(" ");

const UNPACK = `tar --extract --directory=/target --numeric-owner --same-owner --preserve-permissions --xattrs --xattrs-include='*' --anchored ${LEFT_OUT}`;

/** Whatever the archive is; its name is in the first argument, from /source. */
export const UNPACK_ARCHIVE = `${UNPACK} --file="/source$1"`;

/**
 * One layer of an OCI image: first what it takes away, then what it brings. Source: OCI image specification, layer.md
 * (whiteouts).
 */
export const UNPACK_LAYER = `
tar --list --quoting-style=literal --file="/source$1" > /tmp/names
grep -E '(^|/)\\.wh\\.[^/]+$' /tmp/names > /tmp/whiteouts || true
while IFS= read -r path; do
  name=\${path##*/}
  folder=\${path%"$name"}
  case $name in
    .wh..wh..opq) if [ -d "/target/$folder" ]; then find "/target/$folder" -mindepth 1 -maxdepth 1 -exec rm -rf -- {} +; fi ;;
    .wh.. | .wh...) ;;
    .wh..wh.*) ;;
    *) rm -rf -- "/target/$folder\${name#.wh.}" ;;
  esac
done < /tmp/whiteouts
# tar puts no file in the place of a folder that holds something.
grep -v '/$' /tmp/names > /tmp/files || true
while IFS= read -r path; do
  if [ -d "/target/$path" ] && [ ! -L "/target/$path" ]; then rm -rf -- "/target/$path"; fi
done < /tmp/files
${UNPACK} --no-anchored --exclude='.wh.*' --file="/source$1"
`;

/** A folder as it is: a mounted disk. */
export const COPY_TREE = `
{ tar --create --directory=/source --one-file-system --xattrs --xattrs-include='*' . || : >/tmp/unread; } | ${UNPACK} --file=-
[ ! -e /tmp/unread ]`;

/**
 * Makes of a system what a domain can be: with a first process that reaps, and ssh's host keys made in each. Says what it
 * is: os-release, a line \`--\`, packages with their versions.
 */
export const FINISH = `
if [ ! -e /target/bin/sh ] && [ ! -L /target/bin/sh ] && [ ! -e /target/usr/bin/sh ]; then
  echo 'no system' >&2
  exit 9
fi
mkdir -p /target/proc /target/sys /target/dev /target/run /target/tmp
chmod 1777 /target/tmp
rm -f /target/var/lib/systemd/random-seed
if [ -f /target/etc/machine-id ] && [ ! -L /target/etc/machine-id ]; then : > /target/etc/machine-id; fi
if [ ! -e /target/usr/bin/tini ]; then
  mkdir -p /target/usr/bin
  cp /usr/bin/tini-static /target/usr/bin/tini
fi
if [ -e /target/usr/sbin/sshd ]; then
  mkdir -p /target/usr/lib/cloison
  printf '%s' "$1" > /target/usr/lib/cloison/first-boot
  chmod 0755 /target/usr/lib/cloison/first-boot
fi
cat /target/usr/lib/os-release 2>/dev/null || cat /target/etc/os-release 2>/dev/null || true
echo --
if [ -f /target/var/lib/dpkg/status ]; then
  dpkg-query --admindir=/target/var/lib/dpkg --show --showformat='\${Package}\\t\${Version}\\n'
elif [ -f /target/lib/apk/db/installed ]; then
  sed -n 's/^P://p; s/^V://p' /target/lib/apk/db/installed | paste -d '\\t' - -
fi
`;
