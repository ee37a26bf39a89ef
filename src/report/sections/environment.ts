import type { Result } from "../../model/result.ts";
import { countOf, formatCount, formatSize } from "../format.ts";
import { html, type Html } from "../html.ts";
import { dataTable, type TableColumn } from "./parts.ts";

/** The machine, the versions, the limits in force and who ran on which CPU. */
export function environmentSection(result: Result): Html {
  const { environment } = result;
  const { placement } = environment;
  const facts: [string, string][] = [
    ["Processor", `${environment.cpu}, ${countOf(environment.cpus, "CPU")}`],
    ["Memory", formatSize(environment.memoryBytes)],
    ["System", `${environment.distribution}, Linux ${environment.kernel}, cgroup v${environment.cgroupVersion}`],
    ["Cloison", `${environment.cloison} on Node ${environment.node}`],
    [
      "Tools",
      Object.entries(environment.tools)
        .map(([name, version]) => `${name} ${version}`)
        .join(", "),
    ],
    [
      "CPUs",
      `platform ${placement.platform.join(", ")}; station ${placement.station.join(", ")}; probe ${placement.probe.join(", ")}`,
    ],
  ];
  return html`<h2 id="environment">The machine</h2>
    <dl class="facts">
      ${facts.map(
        ([name, value]) =>
          html`<dt>${name}</dt>
            <dd>${value}</dd>`,
      )}
    </dl>
    ${placement.caveats.map((caveat) => html`<p class="note">${caveat}</p>`)}
    ${limitsTable(result)}${imagesTable(result)}`;
}

function limitsTable(result: Result): Html | null {
  const { limits, workers } = result.environment;
  const contexts = Object.keys(limits);
  if (contexts.length === 0) return null;
  const names = [...new Set(contexts.flatMap((context) => Object.keys(limits[context] ?? {})))];
  const columns: TableColumn[] = [
    { head: "platform/context" },
    ...names.map((name) => ({ head: LIMIT_NAMES[name] ?? name, numeric: true })),
    { head: "Apache processes", numeric: true },
  ];
  return dataTable(
    "Limits in force.",
    columns,
    contexts.map((context) => ({
      cells: [
        context,
        ...names.map((name) => limitText(name, limits[context]?.[name])),
        workers[context] === undefined ? "–" : formatCount(workers[context]),
      ],
    })),
  );
}

const LIMIT_NAMES: Readonly<Record<string, string>> = {
  cpus: "CPUs",
  cpuPeriodMs: "quota period, ms",
  shares: "CPU shares",
  cpuset: "on CPUs",
  memoryBytes: "memory",
  pids: "processes",
  diskBytes: "disk",
  io: "I/O",
};

function limitText(name: string, value: unknown): string {
  if (value === null || value === undefined) return "–";
  if (typeof value === "number") return name.endsWith("Bytes") ? formatSize(value) : String(value);
  if (Array.isArray(value)) return value.join(", ");
  return typeof value === "object" ? JSON.stringify(value) : String(value as string | boolean);
}

function imagesTable(result: Result): Html | null {
  const images = Object.entries(result.environment.images);
  if (images.length === 0) return null;
  const table = dataTable(
    "Images: the key names recipe, suite and resolved versions.",
    [{ head: "image" }, { head: "key" }, { head: "packages", className: "text" }],
    images.map(([name, { key, packages }]) => ({
      cells: [
        name,
        html`<code>${key}</code>`,
        Object.entries(packages)
          .map(([each, version]) => `${each} ${version}`)
          .join(", "),
      ],
    })),
  );
  return html`<details>
    <summary>Images and their packages</summary>
    ${table}
  </details>`;
}
