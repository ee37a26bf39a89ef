import { declaredServices } from "../model/lab-services.ts";
import { IMPLIED_LAN } from "../model/lab-networks.ts";
import type { Lab } from "../model/lab.ts";
import type { NetworkState } from "../model/network-state.ts";
import type { LabPlan, NamespaceName, NetworkPlan } from "../model/plan.ts";
import type { Endpoint, Service } from "../model/reachability.ts";
import { lanDevice } from "../networks/company-lan.ts";
import type { PlannedDomain } from "./domains.ts";
import type { PlannedForward } from "./forwards.ts";
import type { Segments } from "./segments.ts";

const WEB: Service = { protocol: "tcp", port: 80 };

interface EndpointInputs {
  segments: Segments;
  domains: readonly PlannedDomain[];
  forwards: readonly PlannedForward[];
  machines: LabPlan["machines"];
  networks: readonly NetworkPlan[];
  network: NetworkState;
  hostNamespace: NamespaceName;
  lanNamespace: NamespaceName;
}

/** Who can ask and be asked: domains, the host, the company's router and machines. Addresses are as the network has them. */
export function planEndpoints(lab: Lab, inputs: EndpointInputs): Endpoint[] {
  const { segments, domains, forwards, machines, networks, hostNamespace, lanNamespace } = inputs;
  const on = (namespace: NamespaceName, link: string, network: string): Endpoint["interfaces"] => {
    const state = inputs.network[namespace];
    const mac = state?.links.find(({ name }) => name === link)?.mac ?? null;
    const addresses = (state?.addresses ?? []).filter((one) => one.link === link).map(({ address }) => address);
    return mac === null || addresses.length === 0 ? [] : [{ link, network, addresses, mac }];
  };
  const lanName = (lan: Segments["station"]) => lan.network ?? IMPLIED_LAN;

  return [
    ...domains.map(({ plan, context }): Endpoint => ({
      name: plan.name,
      kind: "domain",
      namespace: plan.namespace,
      interfaces: plan.vifs.map(({ guest, network, address, address6, mac }) => ({
        link: guest,
        network,
        addresses: address6 === null ? [address] : [address, address6],
        mac,
      })),
      services: declaredServices(lab, context.domain),
    })),
    {
      name: "host",
      kind: "host",
      namespace: hostNamespace,
      interfaces: [
        ...segments.lans.flatMap((lan) => on(hostNamespace, lanDevice(lan.index, lan.bridged), lanName(lan))),
        ...networks.flatMap(({ name, mode, bridge }) =>
          bridge !== null && (mode === "nat" || mode === "isolated") ? on(hostNamespace, bridge, name) : [],
        ),
      ],
      services: forwards.map(({ protocol, port, to }) => ({
        protocol,
        port,
        forwardedTo: { domain: to.domain, port: to.port },
      })),
    },
    {
      name: "lan",
      kind: "router",
      namespace: lanNamespace,
      interfaces: segments.lans.flatMap((lan) => on(lanNamespace, `lan${lan.index}`, lanName(lan))),
      services: [],
    },
    ...Object.values(machines).map(({ name, namespace }): Endpoint => ({
      name,
      kind: "machine",
      namespace,
      interfaces: on(
        namespace,
        "eth0",
        name.startsWith("outside-") ? name.slice("outside-".length) : lanName(segments.station),
      ),
      services: name === "station" ? [] : [WEB],
    })),
  ];
}
