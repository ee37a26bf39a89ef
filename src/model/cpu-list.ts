/** CPU numbers of a list as the kernel writes it (`0,2-3` → 0, 2, 3), ascending. */
export function parseCpuList(text: string): number[] {
  const cpus = text
    .trim()
    .split(",")
    .filter((part) => part !== "")
    .flatMap((part) => {
      const [low, high] = part.split("-").map(Number);
      const from = low ?? 0;
      return Array.from({ length: (high ?? from) - from + 1 }, (_, i) => from + i);
    });
  return [...new Set(cpus)].sort((a, b) => a - b);
}

/** The shortest list that names these CPUs. */
export function formatCpuList(cpus: number[]): string {
  const parts: string[] = [];
  for (let i = 0; i < cpus.length; i++) {
    const from = cpus[i] ?? 0;
    let to = from;
    while (cpus[i + 1] === to + 1) to = cpus[++i] ?? to;
    parts.push(from === to ? `${from}` : `${from}-${to}`);
  }
  return parts.join(",");
}
