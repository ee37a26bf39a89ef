/** An address as `ip -json address` tells it. */
export type AddressJson = Record<string, string | number | boolean>;

/** An address of a card, kept so that it can be set again as it was. */
export interface SavedAddress {
  family: 4 | 6;
  /** For `ip address add`, without device, label and lifetimes. */
  words: string;
  label: string | null;
  /** Seconds that it had left when it was read; null: forever. */
  validS: number | null;
  preferredS: number | null;
}

/** What `ip` prints for forever: the largest 32-bit number. */
const FOREVER = 0xffffffff;

/** States that the kernel finds by itself, and not part of the configuration. */
const FOUND = new Set(["secondary", "dynamic", "deprecated", "tentative", "optimistic", "dadfailed", "stable-privacy"]);
const FLAGS = ["nodad", "home", "mngtmpaddr", "noprefixroute", "autojoin"];
const KNOWN = new Set([
  ...FOUND,
  ...FLAGS,
  "family",
  "local",
  "address",
  "prefixlen",
  "broadcast",
  "scope",
  "label",
  "metric",
  "protocol",
  "valid_life_time",
  "preferred_life_time",
]);

/**
 * Whether the kernel makes and keeps it by itself: an IPv6 link-local address, which a card keeps while it is a port, and a
 * temporary one, which follows the address that it was drawn from.
 */
export function isKernels(json: AddressJson): boolean {
  return json["family"] === "inet6" && (json["scope"] === "link" || json["temporary"] === true);
}

/** null: it has something that could not be put back. */
export function savedAddress(json: AddressJson): SavedAddress | null {
  if (Object.keys(json).some((key) => !KNOWN.has(key))) return null;
  const text = (key: string) => (json[key] === undefined ? null : String(json[key]));
  const lifetime = (key: string) => (json[key] === undefined || json[key] === FOREVER ? null : Number(json[key]));
  const words = [
    ...(text("address") === null
      ? [`${text("local")}/${text("prefixlen")}`]
      : [`${text("local")} peer ${text("address")}/${text("prefixlen")}`]),
    ...(text("broadcast") === null ? [] : [`broadcast ${text("broadcast")}`]),
    `scope ${text("scope") ?? "global"}`,
    ...(text("metric") === null ? [] : [`metric ${text("metric")}`]),
    ...(text("protocol") === null ? [] : [`proto ${text("protocol")}`]),
    ...FLAGS.filter((flag) => json[flag] === true),
  ];
  return {
    family: json["family"] === "inet6" ? 6 : 4,
    words: words.join(" "),
    label: text("label"),
    validS: lifetime("valid_life_time"),
    preferredS: lifetime("preferred_life_time"),
  };
}

/** `valid_lft … preferred_lft …` after so many seconds, with a space before; null: it has run out. */
export function lifetimeWords({ validS, preferredS }: SavedAddress, elapsedS: number): string | null {
  if (validS === null && preferredS === null) return "";
  const left = (lifetimeS: number | null) =>
    lifetimeS === null ? "forever" : String(Math.max(0, Math.floor(lifetimeS - elapsedS)));
  return left(validS) === "0" ? null : ` valid_lft ${left(validS)} preferred_lft ${left(preferredS)}`;
}
