import type { Placement } from "../model/plan.ts";

/**
 * Gives every role its CPUs: what is measured, what floods, and what measures, apart as far as there are any.
 * @param cpus the machine's usable CPUs, ascending, at least one
 * @param wanted CPUs of the platform; null: all that the others do not need
 */
export function placeRoles(cpus: number[], wanted: number | null): Placement {
  const count = cpus.length;
  const others = Math.min(2, count - 1);
  const room = Math.max(1, count - others);
  const platform = cpus.slice(0, Math.min(wanted ?? room, room));
  const rest = others === 0 ? cpus : cpus.slice(count - others);
  const station = rest.slice(0, 1);
  const probe = rest.slice(-1);
  const caveats: string[] = [];
  if (count === 1)
    caveats.push(`platform, floods and probe share CPU ${cpus[0]}: the generator falsifies what it measures`);
  else if (station[0] === probe[0])
    caveats.push(`floods and probe share CPU ${probe[0]}; the probe has the higher priority`);
  if (wanted !== null && wanted > platform.length)
    caveats.push(`the platform has ${platform.length} of the ${wanted} CPUs that the lab asks for`);
  return { platform, station, probe, caveats };
}
