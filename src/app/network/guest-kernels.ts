import type { ForeignKernel } from "../../host/foreign-kernel.ts";
import { requireStoredLab, workspaceOf } from "../../lab/context.ts";
import type { LabPlan, NamespaceName } from "../../model/plan.ts";
import type { AppContext } from "../context.ts";

/** Kernels of the guests that are to ask, by their namespaces, and why others cannot be asked to. */
interface GuestKernels {
  kernels: ReadonlyMap<NamespaceName, ForeignKernel>;
  /** Endpoint and reason. */
  silent: ReadonlyMap<string, string>;
}

/** Reaches into the guests among these endpoints, for as long as `work` goes on. */
export async function withGuestKernels<T>(
  app: AppContext,
  plan: LabPlan,
  askers: ReadonlySet<string>,
  work: (guests: GuestKernels) => Promise<T>,
): Promise<T> {
  const platform = app.platforms[plan.platform];
  const asking = plan.endpoints.filter(
    ({ name, namespace }) => askers.has(name) && plan.network[namespace]?.guest === true,
  );
  const kernels = new Map<NamespaceName, ForeignKernel>();
  const silent = new Map<string, string>();
  if (asking.length === 0) return await work({ kernels, silent });
  const { roots } = await requireStoredLab(app, plan.lab);
  const workspace = workspaceOf(app, plan.lab, roots);
  const states = await platform.list(app.host, workspace, plan);
  try {
    for (const { name, namespace } of asking) {
      const domain = plan.domains.find((one) => one.namespace === namespace);
      const state = states.find((one) => one.name === domain?.name);
      if (domain === undefined || platform.kernel === undefined) {
        silent.set(name, `its platform does not reach into it`);
      } else if (state?.state !== "running") {
        silent.set(name, state === undefined ? "it is not there" : (state.detail ?? `it is ${state.state}`));
      } else kernels.set(namespace, platform.kernel(app.host, workspace, domain.name));
    }
    return await work({ kernels, silent });
  } finally {
    await Promise.all([...kernels.values()].map((kernel) => kernel.close()));
  }
}
