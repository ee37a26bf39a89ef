import { CustomChart, LineChart, ScatterChart } from "echarts/charts";
import { GridComponent, MarkLineComponent, MarkPointComponent } from "echarts/components";
import { init, use, type EChartsCoreOption } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import { escapeHtml, trusted, type Html } from "../html.ts";
import { withVariables } from "./palette.ts";

use([SVGRenderer, CustomChart, LineChart, ScatterChart, GridComponent, MarkLineComponent, MarkPointComponent]);

export interface Drawing {
  /** Unique in the document; the SVG's own ids are made from it, so that the same result gives the same file. */
  id: string;
  width: number;
  height: number;
  title: string;
  /** What the chart shows, in words, for those who can't see it. */
  description: string;
  option: EChartsCoreOption;
}

export const CHART_FONT = "var(--sans)";

/** An inline SVG without scripts, colours as CSS variables, as wide as its container. */
export function draw({ id, width, height, title, description, option }: Drawing): Html {
  const chart = init(null, null, { renderer: "svg", ssr: true, width, height });
  try {
    chart.setOption({ animation: false, ...option });
    const svg = withVariables(withoutStyle(chart.renderToSVGString({ useViewBox: true })));
    const labels = `<title id="${id}-title">${escapeHtml(title)}</title><desc id="${id}-desc">${escapeHtml(description)}</desc>`;
    const open = `<svg class="chart" role="img" aria-labelledby="${id}-title ${id}-desc" viewBox="0 0 ${width} ${height}" xmlns="http://www.w3.org/2000/svg">`;
    return trusted(withOwnIds(svg, id).replace(/<svg[^>]*>/, () => `${open}${labels}`));
  } finally {
    chart.dispose();
  }
}

/** echarts numbers its ids by process: two renderings of one chart differ, and two charts in one page may collide. */
function withOwnIds(svg: string, id: string): string {
  const names = new Map<string, string>();
  return svg.replaceAll(/\bzr\d+-[a-z]+-?\d+\b/g, (name) => {
    const own = names.get(name) ?? `${id}-${names.size}`;
    names.set(name, own);
    return own;
  });
}

/** The style element holds hover effects only, and needs a script to work. */
function withoutStyle(svg: string): string {
  return svg.replaceAll(/<style[^>]*>[\s\S]*?<\/style>/g, "");
}
