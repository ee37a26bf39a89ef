/** A route as `ip -json route` tells it. */
export type RouteJson = Record<string, unknown>;

/** A route over a card, kept so that it can be set again as it was. */
export interface SavedRoute {
  /** For `ip route add`, without device and lifetime. */
  words: string;
  /** Seconds that it had left when it was read; null: forever. */
  expiresS: number | null;
  isDefault: boolean;
}

/** States that the kernel finds by itself. */
const FOUND_FLAGS = new Set(["linkdown", "dead", "offload", "trap", "offload_failed"]);
const METRICS = new Set(["mtu", "advmss", "hoplimit", "initcwnd", "initrwnd", "window", "quickack"]);
const KNOWN = new Set([
  "type",
  "dst",
  "gateway",
  "via",
  "dev",
  "table",
  "protocol",
  "scope",
  "prefsrc",
  "metric",
  "metrics",
  "flags",
  "expires",
  "pref",
  "tos",
]);

/** Whether it comes and goes with an address, by the kernel's own doing. */
export function isKernels(json: RouteJson): boolean {
  return json["protocol"] === "kernel" || json["table"] === "local";
}

/**
 * Two IPv6 routes to one destination with one metric are shown as one with two next hops, and yet can be set and removed each
 * by itself. So the card's and the bridge's look while one takes the other's place.
 */
export function separateHops(json: RouteJson): RouteJson[] {
  const { nexthops, ...rest } = json;
  if (nexthops === undefined) return [json];
  return (nexthops as RouteJson[]).map(({ weight, ...hop }) => ({
    ...rest,
    ...hop,
    ...(weight === 1 ? {} : { weight }),
  }));
}

/** null: it has something that could not be put back, such as several next hops. */
export function savedRoute(family: 4 | 6, json: RouteJson): SavedRoute | null {
  const flags = ((json["flags"] ?? []) as string[]).filter((flag) => !FOUND_FLAGS.has(flag));
  const metrics = Object.entries(
    Object.assign({}, ...((json["metrics"] ?? []) as object[])) as Record<string, unknown>,
  );
  const isKnown =
    Object.keys(json).every((key) => KNOWN.has(key)) &&
    flags.every((flag) => flag === "onlink") &&
    metrics.every(([name, value]) => METRICS.has(name) && typeof value === "number") &&
    (json["type"] ?? "unicast") === "unicast";
  if (!isKnown) return null;
  const via = json["via"] as { family: string; host: string } | undefined;
  const option = (word: string, key: string) => {
    const value = json[key];
    return typeof value === "string" || typeof value === "number" ? [`${word} ${value}`] : [];
  };
  const words = [
    // A batch of `ip` has no lines of one family: the destination tells it.
    json["dst"] === "default" ? { 4: "0.0.0.0/0", 6: "::/0" }[family] : String(json["dst"]),
    ...option("via", "gateway"),
    ...(via === undefined ? [] : [`via ${via.family} ${via.host}`]),
    ...option("table", "table"),
    ...option("proto", "protocol"),
    ...option("scope", "scope"),
    ...option("src", "prefsrc"),
    ...option("metric", "metric"),
    ...option("tos", "tos"),
    ...option("pref", "pref"),
    ...metrics.map(([name, value]) => `${name} ${String(value)}`),
    ...flags,
  ];
  const expires = json["expires"];
  return {
    words: words.join(" "),
    expiresS: expires === undefined ? null : Number(expires),
    isDefault: json["dst"] === "default",
  };
}

/** ` expires …` after so many seconds; null: it has run out. */
export function expiryWords({ expiresS }: SavedRoute, elapsedS: number): string | null {
  if (expiresS === null) return "";
  const left = Math.floor(expiresS - elapsedS);
  return left <= 0 ? null : ` expires ${left}`;
}
