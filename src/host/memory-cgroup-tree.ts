import type { CgroupTree } from "./cgroup-tree.ts";

interface Group {
  files: Map<string, string>;
  pids: Set<number>;
}

/** What the kernel puts into a new group; depends on its parent. */
type NewGroupFiles = (path: string, read: (path: string) => string | null) => Record<string, string>;

/**
 * A cgroup file system in memory, for tests: groups come with files, writes are recorded, and as in the kernel a group is
 * not removed while somebody is in or below it, and a frozen process takes its SIGKILL when it thaws.
 */
export class MemoryCgroupTree implements CgroupTree {
  readonly records: string[] = [];
  readonly #groups = new Map<string, Group>();
  readonly #newGroupFiles: NewGroupFiles;
  #doomed = new Set<number>();

  constructor(roots: string[], newGroupFiles: NewGroupFiles) {
    this.#newGroupFiles = newGroupFiles;
    for (const root of roots) this.make(root);
    this.records.length = 0;
  }

  join(path: string, ...pids: number[]): void {
    for (const pid of pids) this.#group(path).pids.add(pid);
  }

  exists(path: string): boolean {
    const { directory, file } = split(path);
    return this.#groups.has(path) || (this.#groups.get(directory)?.files.has(file) ?? false);
  }

  read(path: string): string | null {
    const { directory, file } = split(path);
    const group = this.#groups.get(directory);
    if (file === "cgroup.procs") return group ? [...group.pids].map((pid) => `${pid}\n`).join("") : null;
    return group?.files.get(file) ?? null;
  }

  write(path: string, text: string): void {
    const { directory, file } = split(path);
    const group = this.#group(directory);
    if (!group.files.has(file)) throw Object.assign(new Error(`ENOENT: ${path}`), { code: "ENOENT" });
    this.records.push(`${path} = ${text}`);
    group.files.set(file, text);
    if (file === "cgroup.kill") for (const below of this.#below(directory)) below.pids.clear();
    this.#endDoomed();
  }

  groups(path: string): string[] {
    return [...this.#groups.keys()].filter((one) => split(one).directory === path).map((one) => split(one).file);
  }

  make(path: string): void {
    if (this.#groups.has(path)) return;
    this.records.push(`mkdir ${path}`);
    const files = this.#newGroupFiles(path, (file) => this.read(file));
    this.#groups.set(path, { files: new Map(Object.entries(files)), pids: new Set() });
  }

  remove(path: string): boolean {
    const group = this.#groups.get(path);
    if (group === undefined) return true;
    if (group.pids.size > 0 || this.groups(path).length > 0) return false;
    this.records.push(`rmdir ${path}`);
    return this.#groups.delete(path);
  }

  kill(pid: number): void {
    this.records.push(`kill ${pid}`);
    this.#doomed.add(pid);
    this.#endDoomed();
  }

  #endDoomed(): void {
    const isFrozen = ({ files }: Group) =>
      files.get("freezer.state") === "FROZEN" || files.get("cgroup.freeze") === "1";
    const frozen = new Set([...this.#groups.values()].filter(isFrozen).flatMap(({ pids }) => [...pids]));
    for (const { pids } of this.#groups.values()) {
      for (const pid of pids) if (this.#doomed.has(pid) && !frozen.has(pid)) pids.delete(pid);
    }
  }

  #below(path: string): Group[] {
    return [...this.#groups].flatMap(([one, group]) => (one === path || one.startsWith(`${path}/`) ? [group] : []));
  }

  #group(path: string): Group {
    const group = this.#groups.get(path);
    if (group === undefined) throw Object.assign(new Error(`ENOENT: ${path}`), { code: "ENOENT" });
    return group;
  }
}

function split(path: string): { directory: string; file: string } {
  const slash = path.lastIndexOf("/");
  return { directory: path.slice(0, slash), file: path.slice(slash + 1) };
}
