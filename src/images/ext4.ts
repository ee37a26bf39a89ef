/** An ext4 file system to be made in a file, with a root file system in it. */
export interface Ext4Request {
  file: string;
  bytes: number;
  /** Where in the file it begins. */
  offsetBytes: number;
  rootfs: string;
  label: string;
  uuid: string;
}

/**
 * Makes the file system and fills it without a mount: owners, modes, links, devices and extended attributes as they are. All
 * tables are written now, for nobody can say when a guest's kernel would.
 */
export function mke2fsCommand({ file, bytes, offsetBytes, rootfs, label, uuid }: Ext4Request): [string, ...string[]] {
  const extended = [
    `hash_seed=${uuid}`,
    "root_owner=0:0",
    "lazy_itable_init=0",
    "lazy_journal_init=0",
    ...(offsetBytes === 0 ? [] : [`offset=${offsetBytes}`]),
  ];
  return [
    ...(["mke2fs", "-q", "-F", "-t", "ext4", "-b", "4096", "-m", "0"] as const),
    ...(["-L", label, "-U", uuid, "-E", extended.join(","), "-d", rootfs] as const),
    ...([file, `${Math.floor(bytes / 1024)}k`] as const),
  ];
}
