import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRealHost } from "../src/host/real.ts";
import type { Host } from "../src/host/host.ts";
import type { AtEnd } from "./at-end.ts";
import { CloisonLab } from "./cloison-lab.ts";

export type Say = (line: string) => void;

/** The parts of a lab file that the benches vary. */
export interface LabParts {
  name: string;
  /** Default: namespace. */
  platform?: string;
  /** Default: plain, the recipe of that name. */
  images?: object;
  networks: object;
  domains: object;
}

/** What the benches of networks share: the machine, and a temporary folder of lab files. */
export class NetworkBed {
  readonly host: Host;
  readonly say: Say;
  readonly atEnd: AtEnd;
  readonly #folder: string;

  private constructor(say: Say, atEnd: AtEnd, folder: string) {
    this.host = createRealHost();
    this.say = say;
    this.atEnd = atEnd;
    this.#folder = folder;
  }

  static async make(say: Say, atEnd: AtEnd): Promise<NetworkBed> {
    const folder = await mkdtemp(join(tmpdir(), "cloison-bench-networks-"));
    atEnd.add(() => rm(folder, { recursive: true, force: true }));
    return new NetworkBed(say, atEnd, folder);
  }

  /** Writes a lab file. @param version tells several files of one lab apart */
  async write(parts: LabParts, version = "lab"): Promise<string> {
    return this.writeText(`${parts.name}.${version}`, labText(parts));
  }

  async writeText(name: string, text: string): Promise<string> {
    const file = join(this.#folder, `${name}.yaml`);
    await writeFile(file, text);
    return file;
  }

  /** A lab that is not there yet, and is gone at the end. */
  lab(name: string, file: string): Promise<CloisonLab> {
    return CloisonLab.claim(this.host, this.atEnd, name, file);
  }
}

/** Unless they say otherwise, its domains share the machine's files, so that each is a network namespace only. */
export function labText({
  platform = "namespace",
  images = { plain: { recipe: "plain" } },
  ...rest
}: LabParts): string {
  return JSON.stringify({ platform, images, ...rest });
}
