import { expiryWords, type SavedRoute } from "./route-words.ts";
import { lifetimeWords, type SavedAddress } from "./address-words.ts";
import type { CardState } from "./observe-card.ts";
import type { UplinkRecord } from "./uplink-record.ts";

/** The machine's side as it is now, and the LAN's end of the wire. null: not there. */
export interface UplinkState {
  card: CardState | null;
  bridge: CardState | null;
  wire: CardState | null;
  lanEnd: CardState | null;
}

/** Lines for `ip -batch`, in the order in which they are to be run; nothing: all is as wanted. */
export interface JoinSteps {
  /** In the machine's namespace; leaves the card alone. */
  prepare: string[];
  /** In the LAN's namespace. */
  lan: string[];
  /** In the machine's namespace: the bridge takes the card's place. */
  move: string[];
}

/** MAC of switch ports, as Xen gives its vifs: no frame is ever addressed to it, and no bridge would choose it for its own. */
const PORT_MAC = "fe:ff:ff:ff:ff:ff";

/** What is missing for the card, which was as the record says, to be joined. Pure. */
export function joinSteps({ plan, card }: UplinkRecord, now: UplinkState, elapsedS: number): JoinSteps {
  const { bridge, wire, lanEnd } = plan;
  const prepare: string[] = [];
  if (now.bridge === null) {
    // Without STP and forward delay a port forwards as soon as it is up. It shows the card's MAC, so no neighbour has to
    // learn another.
    prepare.push(
      `link add name ${bridge} address ${card.mac} mtu ${card.mtu} type bridge stp_state 0 forward_delay 0 mcast_snooping 0`,
      // A card that spoke no IPv6 must not begin to.
      ...(card.hasIpv6 ? [] : [`link set dev ${bridge} addrgenmode none`]),
    );
  }
  if (now.bridge?.up !== true) prepare.push(`link set dev ${bridge} up`);
  const isWired = now.wire !== null && now.lanEnd !== null;
  if (!isWired) {
    if (now.wire !== null) prepare.push(`link delete dev ${wire}`);
    prepare.push(
      `link add name ${wire} address ${PORT_MAC} mtu ${card.mtu} type veth peer name ${lanEnd} address ${PORT_MAC} mtu ${card.mtu} netns ${plan.lanNamespace}`,
    );
  }
  if (!isWired || now.wire?.master !== bridge || !now.wire.up) prepare.push(`link set dev ${wire} master ${bridge} up`);
  const lan =
    isWired && now.lanEnd?.master === `lan${plan.lan}` && now.lanEnd.up
      ? []
      : [`link set dev ${lanEnd} master lan${plan.lan} up`];

  const onBridge = now.bridge ?? { addresses: [], routes: [] };
  const onCard = now.card ?? { addresses: [], routes: [], master: null, up: true };
  const move = [
    // Beside the card's for a moment, so that no packet finds the machine without.
    ...missingAddresses(card.addresses, onBridge.addresses).flatMap((one) =>
      addressLine(bridge, one, elapsedS, { nodad: true }),
    ),
    ...(onCard.master === bridge ? [] : [`link set dev ${card.name} master ${bridge}`]),
    ...(onCard.up ? [] : [`link set dev ${card.name} up`]),
    ...missingRoutes(card.routes, onBridge.routes).flatMap((one) => routeLine(bridge, one, elapsedS)),
    ...onCard.routes.map((one) => `route delete ${one.words} dev ${card.name}`),
    // The last first: without a subnet's first address the kernel removes the others, or another becomes the first.
    ...onCard.addresses.toReversed().map((one) => `address delete ${onlyAddress(one)} dev ${card.name}`),
  ];
  return { prepare, lan, move };
}

/**
 * What is missing for the card to be as it was, from wherever a crash has left it. Each step is one that can be taken twice.
 * Pure. `now.card` null: it has gone meanwhile.
 */
export function leaveSteps({ plan, card }: UplinkRecord, now: UplinkState, elapsedS: number): string[] {
  const removal = [
    ...(now.bridge === null ? [] : [`link delete dev ${plan.bridge}`]),
    ...(now.wire === null ? [] : [`link delete dev ${plan.wire}`]),
  ];
  if (now.card === null) return removal;
  const { name } = now.card;
  const addresses = missingAddresses(card.addresses, now.card.addresses).flatMap((one) =>
    addressLine(name, one, elapsedS, { label: true }),
  );
  const routes = missingRoutes(card.routes, now.card.routes).flatMap((one) => routeLine(name, one, elapsedS));
  const mustBeUp = card.up || routes.length > 0;
  return [
    ...(now.card.master === plan.bridge ? [`link set dev ${name} nomaster`] : []),
    ...(now.card.mtu === card.mtu ? [] : [`link set dev ${name} mtu ${card.mtu}`]),
    ...(mustBeUp && !now.card.up ? [`link set dev ${name} up`] : []),
    ...addresses,
    ...routes,
    ...(!card.up && now.card.up ? [`link set dev ${name} down`] : []),
    ...removal,
  ];
}

/** Without its protocol and flags: what names it to `ip address delete`. */
const onlyAddress = ({ words }: SavedAddress) => words.split(" broadcast ")[0]?.split(" scope ")[0] ?? words;

/** An address on a bridge is set without duplicate address detection, for it is in use already: that flag tells nothing. */
const addressKey = (one: SavedAddress) => onlyAddress(one);

function missingAddresses(wanted: SavedAddress[], present: SavedAddress[]): SavedAddress[] {
  const keys = new Set(present.map(addressKey));
  return wanted.filter((one) => !keys.has(addressKey(one)));
}

function missingRoutes(wanted: SavedRoute[], present: SavedRoute[]): SavedRoute[] {
  const keys = new Set(present.map(({ words }) => words));
  return wanted.filter(({ words }) => !keys.has(words));
}

function addressLine(
  link: string,
  address: SavedAddress,
  elapsedS: number,
  { nodad = false, label = false }: { nodad?: boolean; label?: boolean },
): string[] {
  const lifetime = lifetimeWords(address, elapsedS);
  if (lifetime === null) return [];
  const { family, words } = address;
  const extra = nodad && family === 6 && !words.includes(" nodad") ? " nodad" : "";
  const named = label && address.label !== null ? ` label ${address.label}` : "";
  return [`address add ${words}${extra}${lifetime} dev ${link}${named}`];
}

/** `append`: one of another interface with the same destination stays. */
function routeLine(link: string, route: SavedRoute, elapsedS: number): string[] {
  const expiry = expiryWords(route, elapsedS);
  return expiry === null ? [] : [`route append ${route.words}${expiry} dev ${link}`];
}
