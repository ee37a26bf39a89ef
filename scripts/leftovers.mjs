// What a suite could leave on the machine, read from the kernel. Plain Node.
import { existsSync, readdirSync, readFileSync } from "node:fs";

/** A line for each thing there is now: namespaces, interfaces, mounts, loop devices, control groups of ours. */
export function machineState() {
  const mounts = readFileSync("/proc/self/mounts", "utf8")
    .trim()
    .split("\n")
    .map((line) => line.split(" "));
  const groups = mounts
    .filter(([, , type]) => type === "cgroup" || type === "cgroup2")
    .flatMap(([, target]) => groupsBelow(target));
  return new Set([
    ...list("/run/netns").map((name) => `network namespace ${name}`),
    ...list("/sys/class/net").map((name) => `interface ${name}`),
    ...mounts.map(([, target, type]) => `mount ${target} (${type})`),
    ...list("/sys/block")
      .filter((name) => existsSync(`/sys/block/${name}/loop`))
      .map((name) => `loop device ${name}`),
    ...groups.map((path) => `control group ${path}`),
  ]);
}

/** What is there now and was not `before`. */
export function leftSince(before) {
  return [...machineState()].filter((thing) => !before.has(thing));
}

/** The folder `cloison` itself may stay, empty; what is in it may not. */
function groupsBelow(root) {
  const ours = list(root).filter((name) => name.startsWith("cloison-") && isGroup(`${root}/${name}`));
  const labs = list(`${root}/cloison`).filter((name) => isGroup(`${root}/cloison/${name}`));
  return [...ours.map((name) => `${root}/${name}`), ...labs.map((name) => `${root}/cloison/${name}`)];
}

function isGroup(path) {
  return existsSync(`${path}/cgroup.procs`);
}

function list(path) {
  return existsSync(path) ? readdirSync(path) : [];
}
