/** What a kernel without the thing answers to whether it is switched on: IPv6 is disabled, bridged frames pass no iptables. */
const WITHOUT: [RegExp, string][] = [
  [/^net\.ipv6\.conf\..*\.disable_ipv6$/, "1"],
  [/^net\.bridge\.bridge-nf-call-/, "0"],
];

/** The value that a sysctl stands for where the kernel does not have it; undefined: none. */
export function sysctlWithout(name: string): string | undefined {
  return WITHOUT.find(([pattern]) => pattern.test(name))?.[1];
}
