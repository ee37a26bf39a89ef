import { closeSync, openSync } from "node:fs";

/** An open network namespace, for system calls and netlink requests that name one by its descriptor. Close it. */
export class NamespaceDescriptor {
  readonly fd: number;

  /** `path`: the file that stands for it. */
  constructor(path: string) {
    this.fd = openSync(path, "r");
  }

  close(): void {
    closeSync(this.fd);
  }
}
