import type { Host } from "../host/host.ts";
import { LabError } from "../model/error.ts";
import type { DomainPlan } from "../model/plan.ts";

/**
 * `uid:gid` of a user, by the passwd(5) of an image (never of a running domain, which may have planted a link).
 * @param user a name, a uid, or `uid:gid`
 * @throws LabError naming the users that there are
 */
export async function userIds(host: Host, rootfs: string, domain: DomainPlan, user: string): Promise<string> {
  if (/^\d+(:\d+)?$/.test(user)) return user;
  const lines = ((await host.files.readTextIfExists(`${rootfs}/etc/passwd`)) ?? "")
    .split("\n")
    .map((line) => line.split(":"));
  const [, , uid, gid] = lines.find(([name]) => name === user) ?? [];
  if (uid !== undefined && gid !== undefined) return `${uid}:${gid}`;
  throw new LabError(`domain ${domain.name} has no user ${user}`, {
    hint: `its image has ${lines.flatMap(([name]) => (name === undefined || name === "" ? [] : [name])).join(", ") || "none"}`,
  });
}
