import type { Asked, CompiledLink, CompiledNamespace } from "./compiled-network.ts";
import type { Ip } from "./ip-address.ts";
import type { Exchange } from "./packet.ts";
import type { Fate, Passage } from "./passage.ts";

/** What the answers to a question for a MAC come to. */
export function askedFrom(passage: Passage, exchange: Exchange, fate: Fate): Asked {
  const { asker, target, answers, learned } = exchange;
  const [first] = answers;
  if (first !== undefined) {
    // Two interfaces of one machine may both answer; whichever is first, the packet gets there.
    const others = new Set(answers.filter(({ link }) => link.namespace !== first.link.namespace).map(({ mac }) => mac));
    others.delete(first.mac);
    if (others.size > 0 && passage.network.follows("duplicate-address")) {
      return { kind: "stopped", stop: stopOf(duplicate(passage, exchange)) };
    }
    return { kind: "answered", mac: first.mac, by: first.link, learned };
  }
  if (fate.kind === "unknown") return fate;
  if (fate.kind === "stopped") return fate;
  return { kind: "stopped", stop: stopOf(unanswered(passage, asker, target)) };
}

function stopOf(fate: Fate) {
  if (fate.kind !== "stopped") throw new Error("a stop is a stop");
  return fate.stop;
}

function duplicate(passage: Passage, { asker, target, answers }: Exchange): Fate {
  const who = answers.map(({ mac, link }) => `${mac} (${link.name} in ${link.namespace.name})`);
  return passage.stop(asker.namespace, "duplicate-address", {
    object: `ip neigh: ${target.text} dev ${asker.name} lladdr ${answers.map(({ mac }) => mac).join(" or ")}`,
    reason: `Several machines answer for ${target.text}: ${who.join(", ")}. Which one gets the packet is chance.`,
    remedy: `Take ${target.text} away from all but one of them.`,
  });
}

function unanswered(passage: Passage, link: CompiledLink, target: Ip): Fate {
  const { namespace } = link;
  const object = `ip neigh: ${target.text} dev ${link.name} FAILED`;
  const owners = passage.network.answerers.get(target.text);
  if (owners === undefined) {
    return passage.stop(namespace, "not-listening-here", {
      object,
      reason: `Nobody answers on ${link.name} for ${target.text}, and no machine has that address.`,
      remedy: `Give a machine on ${link.name}'s network the address ${target.text}.`,
    });
  }
  const router = routerOf(passage, link, target);
  if (router !== null) {
    const { namespace: host, link: port } = router;
    return passage.stop(namespace, "no-neighbour", {
      object: `${object}; ip neigh show proxy in ${host.name}: no entry for ${target.text} dev ${port.name}`,
      reason: `Nobody answers on ${link.name} for ${target.text}; ${host.name}, which routes to it, has no proxy entry for it.`,
      remedy: `In ${host.name}: ip neigh add proxy ${target.text} dev ${port.name}`,
    });
  }
  return passage.stop(namespace, "no-neighbour", {
    object,
    reason: `Nobody answers on ${link.name} for ${target.text}: ${[...owners].map(({ name }) => name).join(", ")} has it, but is not on that network.`,
    remedy: `Bring ${target.text} onto the network of ${link.name}, or route to it: ip route add ${target.text} via GATEWAY`,
  });
}

/** A machine that forwards and has a route to just this address, and an interface on the asker's subnet: who could answer by proxy. */
function routerOf(
  { network }: Passage,
  asker: CompiledLink,
  target: Ip,
): { namespace: CompiledNamespace; link: CompiledLink } | null {
  for (const namespace of network.namespaces.values()) {
    if (namespace === asker.namespace) continue;
    const route = namespace.routes.find(
      ({ network: { first, length } }) =>
        first === target && length >= 32 && length === (target.family === 4 ? 32 : 128),
    );
    if (route === undefined) continue;
    for (const link of namespace.links.values()) {
      const shares = link.addresses.some(({ ip, subnet }) =>
        asker.addresses.some(
          (own) =>
            own.ip.family === ip.family &&
            own.subnet.length === subnet.length &&
            own.subnet.length < 32 &&
            sameSubnet(own.subnet.first, subnet.first, subnet.length),
        ),
      );
      if (shares && link !== route.link) return { namespace, link };
    }
  }
  return null;
}

function sameSubnet(a: Ip, b: Ip, length: number): boolean {
  const shift = BigInt((a.family === 4 ? 32 : 128) - length);
  return a.value >> shift === b.value >> shift;
}
