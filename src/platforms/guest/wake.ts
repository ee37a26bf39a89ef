import type { Host } from "../../host/host.ts";
import { BUSYBOX } from "./guest-configuration.ts";

/** Inside: its clock stood still meanwhile, and its addresses may have been given to nobody (udhcpc asks anew at SIGUSR1). */
const WAKE = `"$1" date -u -s "@$2" >/dev/null || exit
for client in $("$1" pidof udhcpc busybox); do
  case $("$1" tr '\\0' ' ' <"/proc/$client/cmdline") in "$1 udhcpc "*) kill -USR1 "$client" ;; esac
done`;

/** What a guest runs that goes on where its memory was left. */
export function wakeProgram(host: Host): [string, ...string[]] {
  return [BUSYBOX, "sh", "-c", WAKE, "wake", BUSYBOX, `${Math.round(host.clock.nowMs() / 1000)}`];
}
