import type { Host } from "../../host/host.ts";
import type { DomainPlan } from "../../model/plan.ts";
import type { Workspace } from "../platform.ts";
import { userIds } from "../user-ids.ts";

/** A user as the agent is told: `uid:gid`. @throws LabError when the domain's image has none of that name */
export async function guestUser(host: Host, workspace: Workspace, domain: DomainPlan, user: string): Promise<string> {
  const [uid, gid = uid] = (await userIds(host, workspace.rootfs(domain), domain, user)).split(":");
  return `${uid}:${gid}`;
}
