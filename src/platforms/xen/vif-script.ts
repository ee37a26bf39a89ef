import { shellQuote } from "../init-script.ts";

/**
 * What xl runs when a vif of the domain appears, also after it was restored: puts it into the lab's namespace, under its name in
 * the plan, in one step: another lab may have one of that name. It stays down until the network's state says otherwise.
 * xl waits for hotplug-status, and netback connects by it.
 */
export function vifScript(namespace: string, name: string): string {
  return `#!/bin/sh
set -e
[ "$1" = online ] || exit 0
trap 'xenstore-write "$XENBUS_PATH/hotplug-status" error' EXIT
ip link set "$vif" netns ${shellQuote(namespace)} name ${shellQuote(name)}
trap - EXIT
xenstore-write "$XENBUS_PATH/hotplug-status" connected
`;
}
