import type { StressorKind, StressorLoad } from "../model/experiment.ts";
import type { DomainLimits } from "../model/plan.ts";

/** The program of each stressor; its Debian package has the same name. */
export const STRESSOR_TOOLS = {
  cpu: "stress-ng",
  memory: "stress-ng",
  fork: "stress-ng",
  disk: "fio",
  "net-transmit": "iperf3",
  "net-receive": "iperf3",
} as const satisfies Record<StressorKind, string>;

/** How long a tool has to write down what it did before it is killed, s; one that is short of CPU time takes a while. */
export const GRACE_S = 10;

/** What a stressor prints on a line of its own when it is at work, if its tool has no words for it. */
export const AT_WORK = "cloison: at work";

/** By so much each instance of the memory stressor grows at a time. */
export const MEMORY_STEP_BYTES = 16 * 2 ** 20;

/** The study's: 60 KB datagrams, from 4 threads. */
export const DATAGRAM_BYTES = 60 * 1024;
const STREAMS = 4;

export interface StressorCommandInputs {
  load: StressorLoad;
  limits: DomainLimits;
  deadlineMs: number;
  /** Names this stressor among others in the same domain; also its folder of files. */
  id: string;
  /** Where the outside machine's iperf3 listens. */
  outside: { address: string; port: number };
}

/**
 * What runs inside the domain. `timeout` stands in front, inside too, so that the deadline holds whoever dies outside; the id
 * stands in its arguments, for whoever looks at the domain's processes.
 */
export function stressorCommand(inputs: StressorCommandInputs): [string, ...string[]] {
  const deadline = `${(inputs.deadlineMs / 1000).toFixed(3)}s`;
  return ["timeout", "-k", `${GRACE_S}s`, deadline, "sh", "-c", script(inputs), inputs.id];
}

/** Where the disk stressor keeps its files, inside the domain. */
export function stressorDirectory(id: string): string {
  return `/var/tmp/${id}`;
}

function script({ load, limits, deadlineMs, id, outside }: StressorCommandInputs): string {
  const { instances } = load;
  // `timeout` ends it before.
  const seconds = Math.ceil(deadlineMs / 1000) + 1;
  switch (load.stressor) {
    case "cpu":
      // Integer and floating-point arithmetic in one loop, without system calls.
      return stressNg(`--cpu ${instances} --cpu-method int64double`);
    case "memory":
      return stressNg(`--bigheap ${instances} --bigheap-growth ${MEMORY_STEP_BYTES}`);
    case "fork":
      // Each of them creates processes until the limit stops it, then reaps them and begins again.
      return stressNg(`--fork ${instances} --fork-max ${Math.min(limits.pids, 16_000)}`);
    case "disk":
      return diskScript(load, limits, stressorDirectory(id), seconds);
    case "net-transmit":
      return iperf3(outside, instances, seconds);
    case "net-receive":
      return `${iperf3(outside, instances, seconds)} --reverse`;
  }
}

/**
 * Its messages, which tell when it has begun, come on one stream with its figures. Without `--no-oom-adjust` it makes itself the last that the
 * kernel would kill, and other programs of the domain the first.
 */
function stressNg(what: string): string {
  return `exec stress-ng ${what} --no-oom-adjust --metrics --yaml /dev/stdout 2>&1`;
}

/** `-b 0`: as fast as it can. With `--reverse` it is the outside machine that sends. */
function iperf3({ address, port }: StressorCommandInputs["outside"], instances: number, seconds: number): string {
  return `echo '${AT_WORK}'; exec iperf3 -c ${address} -p ${port} -u -b 0 -l ${DATAGRAM_BYTES} -P ${STREAMS * instances} -t ${seconds} -J --connect-timeout 5000`;
}

/**
 * Writes files once, then writes and reads them at the same time until it is told to end. Together they are larger than the
 * domain's memory (1.25 times), so that caching does not help, yet never take more than a part of what is free: 40% of a layer
 * of the domain's own (two such stressors fit), 20% of a disk that is shared with the machine.
 */
function diskScript(
  { instances, direct }: StressorLoad,
  limits: DomainLimits,
  directory: string,
  seconds: number,
): string {
  const wantedKib = Math.ceil((1.25 * limits.memoryBytes) / 1024);
  const percent = limits.diskBytes === null ? 20 : 40;
  const common = [
    // Its own calibration of the CPU's clock takes longer than all the rest of its start.
    "--output-format=json --clocksource=clock_gettime --thread --group_reporting --ioengine=psync --bs=1M",
    // Real blocks, not a promise of them. All jobs on the same files.
    `--fallocate=none --directory=${directory} --filename_format='stress.$jobnum'`,
    `--size="$size"k --numjobs=${instances} --direct=${direct ? 1 : 0}`,
  ].join(" ");
  const forever = `--time_based --runtime=${seconds}`;
  return [
    `mkdir -p ${directory} || exit 1`,
    `set -- $(df -Pk ${directory} | tail -n 1)`,
    `size=$(($4 * ${percent} / 100)); [ "$size" -gt ${wantedKib} ] && size=${wantedKib}; size=$((size / ${instances}))`,
    // `timeout` signals fio too, which writes its figures before it goes: so it is waited for once more.
    "stop=; trap 'stop=1' TERM INT",
    `run() { fio ${common} "$@" & wait $! || { [ -n "$stop" ] && wait $!; }; }`,
    // It may take seconds to begin.
    `(until [ -s ${directory}/stress.0 ]; do sleep 0.1; done; echo '${AT_WORK}') &`,
    "run --name=fill --rw=write",
    `[ -n "$stop" ] || run --name=write --rw=write ${forever} --name=read --rw=read ${forever}`,
    `rm -rf ${directory}`,
  ].join("\n");
}
