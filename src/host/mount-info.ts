/** One line of /proc/PID/mountinfo (proc(5)). */
export interface MountEntry {
  /** The directory of the file system that is shown at `target`. */
  root: string;
  target: string;
  type: string;
  source: string;
  /** Of the file system, not of this mount: for cgroup v1 the controllers. */
  superOptions: string[];
}

/** The kernel writes space, tab, newline and backslash as octal escapes. */
function unescape(field: string): string {
  return field.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

/** Entries in the kernel's order: of two mounts on one target, the later lies on top. */
export function parseMountInfo(text: string): MountEntry[] {
  const entries: MountEntry[] = [];
  for (const line of text.split("\n")) {
    // Optional fields stand between the sixth field and a lone hyphen; their number varies.
    const [before = "", after = ""] = line.split(" - ", 2);
    const [, , , root, target] = before.split(" ");
    const [type, source = "", superOptions = ""] = after.split(" ");
    if (root === undefined || target === undefined || type === undefined) continue;
    entries.push({
      root: unescape(root),
      target: unescape(target),
      type,
      source: unescape(source),
      superOptions: superOptions.split(","),
    });
  }
  return entries;
}

/** Whether `path` is `parent` or lies below it; both absolute and normalised. */
export function isWithin(path: string, parent: string): boolean {
  return path === parent || path.startsWith(parent.endsWith("/") ? parent : `${parent}/`);
}
