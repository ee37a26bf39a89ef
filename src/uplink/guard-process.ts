// The watchdog: a program of its own, so that it outlives the cloison that started it, however that ends.
//   node uplink-guard.mjs RECORD LOCK CGROUP
import { createRealHost } from "../host/real.ts";
import { machineNamespace, readRecord } from "./uplink-record.ts";
import { observeUplink } from "./observe-uplink.ts";
import { watchDeadline } from "./watch-deadline.ts";

const [record = "", lock = "", cgroup = ""] = process.argv.slice(2);
const files = { record, lock, cgroup };
const host = createRealHost();

// The terminal from which it came may be cut off by what it watches.
for (const signal of ["SIGHUP", "SIGINT", "SIGTERM"] as const) process.on(signal, () => undefined);

// Everything that it will need is loaded and tried now, while all is well: the lock's system call, iproute2, the record.
host.tryLock(lock)?.release();
const first = await readRecord(host, files);
if (first === null) throw new Error(`there is no record ${record}`);
await observeUplink(host, first);
if ((await machineNamespace(host)) !== first.namespace) throw new Error("started in another network namespace");
console.log("ready");
console.log(await watchDeadline(host, files, (line) => console.log(line)));
