import type { Result } from "../../model/result.ts";
import { formatConfidence, formatCount, formatRate, listOf } from "../format.ts";
import { html, type Html } from "../html.ts";
import type { RunView } from "../run-view.ts";

/** How every figure came about, and how to get it again. */
export function methodSection(result: Result, view: RunView): Html {
  return html`<h2 id="method">How each figure was obtained</h2>
    <dl class="how">
      ${explanations(result, view).map(
        ([name, text]) =>
          html`<dt>${name}</dt>
            <dd>${text}</dd>`,
      )}
    </dl>
    <h3>Running it again</h3>
    <p>The order of the trials came from seed ${result.seed}. In the folder of this report:</p>
    <pre>cloison run experiment.yaml --seed ${result.seed}</pre>
    <p class="note">
      Every request of every trial is in samples/, one Parquet file per trial; every figure is in result.json (schema
      ${result.schema}), the annex-like table in table.csv.
    </p>`;
}

function explanations(result: Result, view: RunView): [string, string][] {
  const { abnormalMs, unacceptableMs } = result.thresholds;
  const engines = [
    ...new Set(
      result.trials.flatMap((trial) =>
        trial.readings.flatMap((reading) => ("engine" in reading ? [reading.engine] : [])),
      ),
    ),
  ];
  const methods = [...new Set(result.comparisons.map((row) => row.method))];
  const confidences = [...new Set(result.comparisons.flatMap((row) => row.confidence ?? []))].toSorted((a, b) => a - b);
  return [
    [
      "Blocks",
      "A block holds every platform with its own reference and every load once, in random order. The block is the unit: intervals are over blocks, never over requests, because requests of one trial resemble each other.",
    ],
    [
      "Probe",
      `${probeText(result, view)} Latency counts from the moment a request was due, so that a stall counts for all requests it delays (no coordinated omission).`,
    ],
    [
      "Requests without an answer",
      "Timeouts, refusals, resets, short and malformed answers are told apart, never enter mean, median or sd, and count as infinitely slow in every p95 that a verdict rests on. Requests under way when a load ended are cut off, and counted nowhere.",
    ],
    [
      "Quantiles",
      "Of one trial’s requests: definition 7 of Hyndman and Fan (1996), the default of R and NumPy. In distributions: the inverse of the empirical distribution function (definition 1), so that every point was measured. p99 only from 300 answers on.",
    ],
    [
      "Estimates and intervals",
      methods.length === 0
        ? "No comparison could be made."
        : `${capital(methods.join("; or "))}.${confidences.length > 0 ? ` Confidence, as it really is: ${listOf(confidences.map(formatConfidence))}.` : " With fewer than 5 blocks no interval is given."}`,
    ],
    [
      "Verdicts",
      `The first that matches: did not return, when more than 5 % of the requests got no answer; unacceptable or abnormal, when the interval’s lower end is over ${formatCount(unacceptableMs)} or ${formatCount(abnormalMs)} ms; unaffected, when the ratio to the reference lies within the spread of reference against reference; degraded, when it lies above; else inconclusive.`,
    ],
    [
      "Validity",
      "A trial is invalid, and repeated up to twice when the others of its block have been run, then twice more at the end if it is one of few, when an idle responder outside the platform moves by 2 ms or more at the 95th percentile, when the hypervisor steals more than 1 % of the CPU, when the load generator misses its send times or runs out of ports or descriptors, when a flood or stressor does not do its work, or when a reference differs from the other blocks’. A run is valid when every planned trial has a valid attempt and references compared with each other show no difference.",
    ],
    [
      "Outliers",
      "Slower than Q3 · (Q3/Q1)^3, which is Tukey’s far-out fence on logarithms; counted and shown, never dropped.",
    ],
    [
      "Load engine",
      `${listOf(engines) || "none"}. Readings of different engines are never compared. epoll: a loop of our own on the kernel’s epoll; node: Node’s sockets.`,
    ],
  ];
}

function probeText(result: Result, view: RunView): string {
  for (const trial of result.trials) {
    for (const reading of trial.readings) {
      if (reading.metric !== "http" || reading.role !== "probe" || reading.target !== view.target) continue;
      const pace =
        reading.rateHz === null
          ? "in a closed loop"
          : `${formatRate(reading.rateHz)} a second, whatever the answers (open loop)`;
      return `Requests for ${reading.path} of ${reading.target}, ${pace}.`;
    }
  }
  return `${view.metric} of ${view.target}.`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
