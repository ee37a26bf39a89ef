import { ExitCode, LabError } from "../model/error.ts";

/** One entry of apt's sources, in either form that sources.list(5) knows. */
export interface AptSource {
  uris: string[];
  suites: string[];
  components: string[];
  /** deb822 field → value, all but Types, URIs, Suites, Components, Enabled, Targets and Languages. */
  options: Record<string, string>;
}

/** What an archive says of itself in its InRelease file, as far as the machine has fetched it. */
export interface Release {
  origin: string;
  codename: string;
}

/** deb822 spelling of the options of the one-line form whose names differ; the others differ in case only. */
const ONE_LINE_OPTION: Record<string, string> = { arch: "Architectures", lang: "Languages", target: "Targets" };
const NOT_CARRIED = new Set(["types", "uris", "suites", "components", "enabled", "targets", "languages"]);

/** Reads a one-line `.list` file; lines for sources, comments and lines that apt would refuse are left out. */
export function parseSourcesList(text: string): AptSource[] {
  const sources: AptSource[] = [];
  for (const line of text.split("\n")) {
    const found = /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s*([^#]*)/.exec(line);
    if (found === null) continue;
    const [, bracket = "", uri = "", suite = "", components = ""] = found;
    const options: Record<string, string> = {};
    for (const option of bracket.split(/\s+/)) {
      const [name, value] = option.split(/[-+]?=(.*)/s);
      if (name === undefined || name === "" || value === undefined) continue;
      const field = ONE_LINE_OPTION[name.toLowerCase()] ?? capitalised(name);
      if (!NOT_CARRIED.has(field.toLowerCase())) options[field] = value.replaceAll(",", " ");
    }
    sources.push({ uris: [uri], suites: [suite], components: words(components), options });
  }
  return sources;
}

/** Reads a deb822 `.sources` file; disabled stanzas and stanzas without `deb` are left out. */
export function parseDeb822Sources(text: string): AptSource[] {
  const sources: AptSource[] = [];
  for (const stanza of text.replaceAll(/^#.*\n?/gm, "").split(/\n[ \t]*\n/)) {
    const fields = new Map<string, { name: string; value: string }>();
    for (const [, name = "", value = ""] of stanza.matchAll(/^([A-Za-z][\w-]*):((?:.*)(?:\n[ \t].*)*)/gm)) {
      fields.set(name.toLowerCase(), { name, value: value.replace(/^[ \t]+/, "").trimEnd() });
    }
    const list = (field: string) => words(fields.get(field)?.value ?? "");
    if (!list("types").includes("deb") || /^(no|false|0|off|without|disable)$/i.test(list("enabled")[0] ?? ""))
      continue;
    const options: Record<string, string> = {};
    for (const [key, { name, value }] of fields) if (!NOT_CARRIED.has(key)) options[name] = value;
    sources.push({ uris: list("uris"), suites: list("suites"), components: list("components"), options });
  }
  return sources;
}

/**
 * The entries that are Debian's own archive for one release, one URI and suite each, component main only. A machine may have
 * other vendors' sources beside them, some of them dead. What counts, in this order: the archive's own word (its InRelease,
 * where the machine has it), the key that it must be signed with, and for entries that name no key the path of Debian's mirrors.
 *
 * @param releases what the machine knows of `<uri> <suite>`; null: nothing
 */
export function debianOwn(
  sources: AptSource[],
  codename: string,
  releases: (uri: string, suite: string) => Release | null,
): AptSource[] {
  const own: AptSource[] = [];
  for (const source of sources) {
    for (const uri of source.uris) {
      for (const suite of source.suites) {
        const release = releases(uri, suite);
        const ours =
          source.components.includes("main") && suiteOf(suite, release, codename) && isDebian(source, uri, release);
        const known = own.some((other) => other.uris[0] === uri && other.suites[0] === suite);
        if (ours && !known) own.push({ uris: [uri], suites: [suite], components: ["main"], options: source.options });
      }
    }
  }
  return own;
}

/** Writes entries in deb822 form; apt fetches package lists only, no translations and no other indexes. */
export function formatDeb822Sources(sources: AptSource[]): string {
  return sources
    .map((source) =>
      [
        "Types: deb",
        `URIs: ${source.uris.join(" ")}`,
        `Suites: ${source.suites.join(" ")}`,
        `Components: ${source.components.join(" ")}`,
        "Targets: Packages",
        ...Object.entries(source.options).map(([name, value]) => `${name}: ${value}`),
        "",
      ].join("\n"),
    )
    .join("\n");
}

/**
 * The name under which apt keeps an archive's file: its URI without scheme, user and password, with slashes as `_`.
 * Source: URItoFileName in apt-pkg/contrib/strutl.cc.
 */
export function listFileName(uri: string, suite: string, file: string): string {
  const place = uri
    .replace(/^[a-z+]+:(\/\/)?/i, "")
    .replace(/^[^/@]*@/, "")
    .replace(/\/+$/, "");
  const quoted = `${place}/dists/${suite.replace(/\/+$/, "")}/${file}`.replaceAll(
    /[\\|{}[\]<>"^~_=!@#$%^&*]/g,
    (letter) => `%${letter.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
  return quoted.replaceAll("/", "_");
}

/** The head of an InRelease file. */
export function parseRelease(text: string): Release {
  const field = (name: string) => new RegExp(`^${name}: *(.*)$`, "m").exec(text)?.[1]?.trim() ?? "";
  return { origin: field("Origin"), codename: field("Codename") };
}

/** The release's name from /etc/os-release; images are built from the machine's own release. */
export function debianCodename(osRelease: string): string {
  const field = (name: string) => new RegExp(`^${name}="?([^"\n]*)"?$`, "m").exec(osRelease)?.[1];
  const codename = field("VERSION_CODENAME");
  if (field("ID") !== "debian" || codename === undefined || !/^[a-z]+$/.test(codename)) {
    throw new LabError(
      `images are made of Debian's packages, and this machine is ${field("PRETTY_NAME") ?? "no Debian"}`,
      {
        hint: "run Cloison on Debian 12 or 13",
        exit: ExitCode.unavailable,
      },
    );
  }
  return codename;
}

/** Suites of the release, not its backports or proposed updates. `stable` counts when the archive says what it stands for. */
function suiteOf(suite: string, release: Release | null, codename: string): boolean {
  const [, name, , pocket = ""] = /^([a-z]+)((?:-|\/)(updates|security))?\/?$/.exec(suite) ?? [];
  if (name === undefined || !["", "updates", "security"].includes(pocket)) return false;
  if (name === codename) return true;
  return /^(old)*stable$/.test(name) && release?.codename.split("-")[0] === codename;
}

function isDebian(source: AptSource, uri: string, release: Release | null): boolean {
  if (release !== null && release.origin !== "") return release.origin === "Debian";
  const signedBy = Object.entries(source.options).find(([name]) => name.toLowerCase() === "signed-by")?.[1];
  if (signedBy !== undefined) return /(^|\/)debian-archive-[\w.-]*(keyring|stable|automatic)[\w.-]*/.test(signedBy);
  return /\/debian(-security)?(\.list)?\/?$/.test(uri) && !/\/linux\/debian\/?$/.test(uri);
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}

function capitalised(name: string): string {
  return name
    .split("-")
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1).toLowerCase())
    .join("-");
}
