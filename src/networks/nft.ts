import type { NftChain, NftHook, NftRule, NftSet, NftStatement, NftTable } from "../model/nft.ts";

/** Expressions and statements of libnftables-json(5). */
export const meta = (key: string) => ({ meta: { key } });
export const payload = (protocol: string, field: string) => ({ payload: { protocol, field } });
export const ct = (key: string) => ({ ct: { key } });
export const concat = (...parts: unknown[]) => ({ concat: parts });
export const prefix = (subnet: string) => {
  const [addr = "", len] = subnet.split("/");
  return { prefix: { addr, len: Number(len) } };
};

export const match = (left: unknown, op: "==" | "!=" | "in", right: unknown): NftStatement => ({
  match: { op, left, right },
});
export const iif = (name: string, op: "==" | "!=" = "==") => match(meta("iifname"), op, name);
export const oif = (name: string, op: "==" | "!=" = "==") => match(meta("oifname"), op, name);
export const accept: NftStatement = { accept: null };
export const drop: NftStatement = { drop: null };
export const masquerade: NftStatement = { masquerade: null };

export const rule = (comment: string | undefined, ...expr: NftStatement[]): NftRule => ({
  ...(comment === undefined ? {} : { comment }),
  expr,
});

/** Answers, and errors about what was let through. */
export const acceptEstablished = rule(undefined, match(ct("state"), "in", ["established", "related"]), accept);

export const set = (name: string, type: string | string[], elements: unknown[]): NftSet => ({ name, type, elements });

/** An element with the name of what it stands for. */
export const element = (comment: string, ...values: string[]) => ({
  elem: { val: values.length === 1 ? values[0] : { concat: values }, comment },
});

/** Priorities by their names in nft(8). */
const PRIORITY = { raw: -300, dstnat: -100, filter: 0, srcnat: 100 };

/** For a chain of its own, so that no rule of another network lets anything through first. */
export const BEFORE_FILTER = -10;

export function chain(
  hook: NftHook["hook"],
  priority: keyof typeof PRIORITY | number,
  rules: NftRule[],
  {
    name = hook,
    type = "filter",
    policy = "accept",
  }: { name?: string } & Partial<Pick<NftHook, "type" | "policy">> = {},
): NftChain {
  const number = typeof priority === "number" ? priority : PRIORITY[priority];
  return { name, base: { type, hook, priority: number, policy }, rules };
}

/** As `NamespaceState.tables` has it. */
export function table(
  family: NftTable["family"],
  name: string,
  chains: NftChain[],
  sets: NftSet[] = [],
): Record<string, NftTable> {
  return { [`${family} ${name}`]: { family, name, sets, chains } };
}
