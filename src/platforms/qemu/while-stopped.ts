import type { Host } from "../../host/host.ts";
import { LabError } from "../../model/error.ts";
import type { GuestPaths } from "./guest-paths.ts";
import { askMonitor, statusOf } from "./monitor.ts";

/**
 * Waits for its end, and lets the guest go on then, whatever it was that ended it. The monitor drops what it has not yet done
 * for whoever hangs up, so the answer is waited for, longer each time. Memory that is still being sent would stop the guest
 * again when it is all sent.
 */
const GUARD = String.raw`monitor=$1
go_on() {
  kill $!
  for seconds in 0.2 1 5 20; do
    {
      printf '%s\n' '{"execute":"qmp_capabilities"}' '{"execute":"migrate_cancel"}' \
        '{"execute":"cont"}' '{"execute":"query-status"}'
      sleep $seconds
    } | socat - "UNIX-CONNECT:$monitor" | grep -q '"running": true' && exit 0
  done
  exit 1
}
sleep 0 &
trap go_on TERM INT HUP
echo ready
while :; do
  sleep 60 &
  wait $!
done`;

/**
 * Does the work while a guest stands still. One that ran goes on afterwards, also when this process is killed meanwhile.
 * @throws LabError when there is no QEMU, or its guest cannot go on
 */
export async function whileStopped<T>(host: Host, name: string, paths: GuestPaths, work: () => Promise<T>): Promise<T> {
  const [status] = (await askMonitor(host, paths, [{ execute: "query-status" }])) ?? [];
  const before = statusOf(status);
  if (before !== "running" && before !== "paused") {
    throw new LabError(`domain ${name} neither runs nor is it paused`, {
      hint: "`cloison ps` says what keeps it; cloison resume lets it go on",
    });
  }
  if (before === "paused") {
    try {
      return await work();
    } finally {
      // When its memory was taken it would be called migrated away, and not paused.
      await askMonitor(host, paths, [{ execute: "cont" }, { execute: "stop" }]);
    }
  }
  let say = () => undefined as void;
  const ready = new Promise<void>((resolve) => (say = resolve));
  const guard = await host.processes.start({
    argv: ["sh", "-c", GUARD, "guard", paths.monitor],
    output: { stdout: () => say() },
  });
  const goOn = async () => {
    guard.kill("SIGTERM");
    const { code } = await guard.exited;
    if (code !== 0) throw new LabError(`domain ${name} does not go on`, { hint: "`cloison ps` says what keeps it" });
  };
  try {
    await Promise.race([ready, guard.exited]);
    await askMonitor(host, paths, [{ execute: "stop" }]);
    const done = await work();
    await goOn();
    return done;
  } catch (error) {
    await goOn();
    throw error;
  }
}
