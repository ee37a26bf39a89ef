/** An image as a machine boots it: what lies beside its root file system. Absolute paths. */
export interface MachineForm {
  directory: string;
  kernel: string;
  initramfs: string;
  /** A file system with the image's content, and room for what the domain writes. Read-only by convention. */
  disk: string;
}

/** What a domain without a limit of its own may write. It costs nothing until it is written. */
const DEFAULT_ROOM_BYTES = 4 * 2 ** 30;

/**
 * @param rootfs folder of the image's root file system
 * @param roomBytes for what the domain writes; null: no limit of its own
 */
export function machineForm(rootfs: string, roomBytes: number | null): MachineForm {
  const directory = `${rootfs.slice(0, rootfs.lastIndexOf("/"))}/machine`;
  return {
    directory,
    kernel: `${directory}/kernel`,
    initramfs: `${directory}/initramfs`,
    disk: `${directory}/disk-${roomMiB(roomBytes)}.ext4`,
  };
}

export function roomMiB(roomBytes: number | null): number {
  return Math.ceil((roomBytes ?? DEFAULT_ROOM_BYTES) / 2 ** 20);
}
