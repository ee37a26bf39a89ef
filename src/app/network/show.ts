import { ExitCode, LabError } from "../../model/error.ts";
import type { NetworkState } from "../../model/network-state.ts";
import { observeNetwork } from "../../netstate/observe.ts";
import { chainsText } from "../../report/network/chains-text.ts";
import { interfacesText } from "../../report/network/interfaces-text.ts";
import { routesText } from "../../report/network/routes-text.ts";
import { stateText } from "../../report/network/state-text.ts";
import { labSwitches } from "../../lab/switches.ts";
import type { AppContext } from "../context.ts";
import { planOf, planOfRunning } from "./lab-network.ts";

interface ShowOptions {
  /** What the kernel has, instead of what the plan wants. */
  observed: boolean;
  /** `host`, `lan`, or the name of a domain or machine; null: all. */
  part: string | null;
}

/** The network of a lab, per namespace. */
export async function showNetwork(app: AppContext, nameOrFile: string, options: ShowOptions): Promise<NetworkState> {
  const plan = await (options.observed ? planOfRunning : planOf)(app, nameOrFile);
  const namespaces = Object.keys(plan.network).filter(
    (name) => options.part === null || name === `cloison.${plan.lab}.${options.part}`,
  );
  if (namespaces.length === 0) {
    throw new LabError(`lab ${plan.lab} has no part ${options.part}`, {
      hint: `it has ${Object.keys(plan.network)
        .map((name) => name.split(".")[2])
        .join(", ")}`,
      exit: ExitCode.usage,
    });
  }
  if (!options.observed) return Object.fromEntries(namespaces.map((name) => [name, plan.network[name]!]));
  const own = namespaces.filter((name) => plan.network[name]?.guest !== true);
  if (own.length === 0) {
    throw new LabError(`what is inside ${options.part} is its own kernel's, and not seen from here`, {
      hint: `cloison exec ${plan.lab} ${options.part} -- ip addr`,
      exit: ExitCode.usage,
    });
  }
  return observeNetwork(app.host, own, { like: plan.network, switches: labSwitches(app.paths, plan) });
}

/** The views that tools of the study's days give, or ours. */
export function networkText(state: NetworkState, format: "ifconfig" | "route" | "iptables" | null): string {
  switch (format) {
    case "ifconfig":
      return interfacesText(state);
    case "route":
      return routesText(state);
    case "iptables":
      return chainsText(state);
    case null:
      return stateText(state);
  }
}
