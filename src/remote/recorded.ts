import type { Host } from "../host/host.ts";

/** Which labs this user has on other hosts: a file for each, with the host's address. */
export class RecordedLabs {
  readonly #host: Host;
  readonly #directory: string;

  constructor(host: Host, directory: string) {
    this.#host = host;
    this.#directory = directory;
  }

  /** The host of a lab; null: it is on none but, perhaps, this machine. */
  async hostOf(lab: string): Promise<string | null> {
    return (await this.#host.files.readTextIfExists(this.#file(lab)))?.trim() ?? null;
  }

  /** Every lab, by its host. */
  async byHost(): Promise<Map<string, string[]>> {
    const hosts = new Map<string, string[]>();
    for (const lab of (await this.#host.files.list(this.#directory)).sort()) {
      const address = await this.hostOf(lab);
      if (address !== null) hosts.set(address, [...(hosts.get(address) ?? []), lab]);
    }
    return hosts;
  }

  async record(lab: string, address: string): Promise<void> {
    await this.#host.files.makeDirectory(this.#directory);
    await this.#host.files.replaceText(this.#file(lab), `${address}\n`);
  }

  async forget(lab: string): Promise<void> {
    await this.#host.files.remove(this.#file(lab));
  }

  #file(lab: string): string {
    return `${this.#directory}/${lab}`;
  }
}
