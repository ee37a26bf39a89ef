import type { PlatformName } from "../../model/lab.ts";

/**
 * Colours of a chart. Each is a placeholder that the finished SVG has replaced by a CSS variable, so that one drawing
 * serves the light and the dark scheme: echarts itself knows literal colours only.
 */
const PLACEHOLDERS = {
  ink: "#0a0b01",
  muted: "#0a0b02",
  rule: "#0a0b03",
  paper: "#0a0b04",
  abnormal: "#0a0b05",
  unacceptable: "#0a0b06",
  shared: "#0a0b11",
  namespace: "#0a0b12",
  container: "#0a0b13",
  qemu: "#0a0b14",
  xen: "#0a0b15",
} as const;

export const COLOUR = PLACEHOLDERS;

/** Draws one platform apart from the others, without colour too. */
export interface PlatformMark {
  colour: string;
  symbol: "circle" | "rect" | "triangle" | "diamond" | "arrow";
  line: "solid" | "dashed" | "dotted";
}

export const PLATFORM_MARKS: Readonly<Record<PlatformName, PlatformMark>> = {
  shared: { colour: PLACEHOLDERS.shared, symbol: "rect", line: "dashed" },
  namespace: { colour: PLACEHOLDERS.namespace, symbol: "triangle", line: "dotted" },
  container: { colour: PLACEHOLDERS.container, symbol: "circle", line: "solid" },
  qemu: { colour: PLACEHOLDERS.qemu, symbol: "diamond", line: "dashed" },
  xen: { colour: PLACEHOLDERS.xen, symbol: "arrow", line: "dotted" },
};

/** Puts CSS variables (`--chart-ink`, …) in the place of the placeholders. */
export function withVariables(svg: string): string {
  let themed = svg;
  for (const [name, placeholder] of Object.entries(PLACEHOLDERS))
    themed = themed.replaceAll(placeholder, `var(--chart-${name})`);
  return themed;
}
