import type { NamespaceName } from "../model/plan.ts";

/** One Open vSwitch of its own: a database and a switch daemon, for the switches of one network namespace. */
export interface SwitchInstance {
  namespace: NamespaceName;
  /**
   * Database, sockets, pid files and logs; nothing else is in it. Below /run, because a socket's path is 108 bytes at most
   * and the database is of no use after a reboot.
   */
  directory: string;
  /** Control group of both programs. */
  cgroup: string;
  /** CPUs that forward. */
  cpus: number[];
}

/**
 * The instance of a namespace `cloison.<lab>.<part>`. Its folder lies in the lab's below `run`, its control group in the
 * lab's, so both go with the lab; no domain's name has a dot.
 * @param run folder of run-time state, `/run/cloison`
 */
export function switchInstance(run: string, namespace: NamespaceName, cpus: number[]): SwitchInstance {
  const [, lab = "", part = ""] = namespace.split(".");
  return {
    namespace,
    directory: `${run}/${lab}/switch.${part}`,
    cgroup: `cloison/${lab}/switch.${part}`,
    cpus,
  };
}

export const databaseSocket = ({ directory }: SwitchInstance) => `${directory}/db.sock`;
export const controlSocket = ({ directory }: SwitchInstance) => `${directory}/vswitchd.ctl`;
/** Where ovs-vswitchd takes OpenFlow for one of its switches. */
export const openFlowSocket = ({ directory }: SwitchInstance, name: string) => `${directory}/${name}.mgmt`;
