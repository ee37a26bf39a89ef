/** What isolates domains; see docs/platforms.md. Without a schema here: the command line needs them, and schemas take time to load. */
export const PLATFORM_NAMES = ["shared", "namespace", "container", "qemu", "xen"] as const;
