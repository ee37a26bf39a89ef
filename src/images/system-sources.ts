import { ExitCode, LabError } from "../model/error.ts";
import type { ImageSystem } from "../model/image.ts";
import type { AptSource, Release } from "./debian-sources.ts";

/** What distinguishes the archives that images can be made of. */
const DISTRIBUTIONS = {
  debian: {
    title: "Debian",
    components: ["main"],
    pockets: ["", "-updates"],
    keyring: "/usr/share/keyrings/debian-archive-keyring.gpg",
    keyringPackage: "debian-archive-keyring",
    path: /\/debian(-security)?\/?$/,
  },
  ubuntu: {
    title: "Ubuntu",
    components: ["main", "universe"],
    pockets: ["", "-updates", "-security"],
    keyring: "/usr/share/keyrings/ubuntu-archive-keyring.gpg",
    keyringPackage: "ubuntu-keyring or ubuntu-archive-keyring",
    path: /\/ubuntu(-ports)?\/?$/,
  },
} as const;

/** Releases that are never finished have no pockets for what came after. */
const ROLLING = /^(sid|unstable|testing|experimental)$/;

export const titleOf = ({ distribution, release }: ImageSystem): string =>
  `${DISTRIBUTIONS[distribution].title} ${release}`;

/** File that the archive's signatures are checked with, and the package that has it. */
export function keyringOf({ distribution }: ImageSystem): { file: string; package: string } {
  const { keyring, keyringPackage } = DISTRIBUTIONS[distribution];
  return { file: keyring, package: keyringPackage };
}

/**
 * The sources of another release than the machine's: those of the mirror that is given, else the machine's own way to the
 * distribution's archive with the suites of that release.
 * @param releases what the machine knows of `<uri> <suite>`; null: nothing
 * @throws LabError when the machine's apt knows no archive of the distribution
 */
export function systemSources(
  sources: AptSource[],
  system: ImageSystem,
  releases: (uri: string, suite: string) => Release | null,
): AptSource[] {
  const { title, components, pockets, keyring, path } = DISTRIBUTIONS[system.distribution];
  const { release, mirror } = system;
  const rolling = ROLLING.test(release);
  const source = (uri: string, suite: string, options: Record<string, string>): AptSource => ({
    uris: [uri],
    suites: [suite],
    components: [...components],
    options,
  });
  if (mirror !== undefined) {
    const options = { "Signed-By": keyring };
    return (rolling ? [""] : pockets).map((pocket) => source(mirror, `${release}${pocket}`, options));
  }
  const found = new Map<string, AptSource>();
  for (const { uris, suites, options } of sources) {
    for (const uri of uris) {
      for (const suite of suites) {
        const known = releases(uri, suite)?.origin ?? "";
        if (known === "" ? !path.test(uri) : known !== title) continue;
        const pocket = /[-/](updates|security)$/.exec(suite)?.[0] ?? "";
        if (!/^[a-z]+([-/](updates|security))?$/.test(suite) || (rolling && pocket !== "")) continue;
        const wanted = source(uri, `${release}${pocket}`, options);
        found.set(`${uri} ${wanted.suites[0]}`, wanted);
      }
    }
  }
  if (found.size > 0) return [...found.values()];
  throw new LabError(`${titleOf(system)}: this machine's apt knows no archive of ${title}`, {
    hint: `name one in the image's file, as mirror: http://…/${system.distribution}`,
    exit: ExitCode.unavailable,
  });
}
