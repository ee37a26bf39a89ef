import { describe, expect, it } from "vitest";
import type { Result } from "../model/result.ts";
import { resultSchema } from "../model/result.ts";
import { STUDY_2009 } from "./data/study-2009.ts";
import { fixtureEcdfs } from "./fixture-ecdfs.ts";
import { emulatedResult, fixtureResult } from "./fixture.ts";
import { renderHtml } from "./html-report.ts";

const render = (result: Result): string => renderHtml(result, fixtureEcdfs(), STUDY_2009);
const page = render(fixtureResult());
/** What a reader sees, tags and style sheet gone, white space as one space. */
const textOf = (html: string): string =>
  html
    .replaceAll(/<(style|script|head)[\s\S]*?<\/\1>/g, " ")
    .replaceAll(/<[^>]+>/g, " ")
    .replaceAll(/\s+/g, " ");

describe("report.html", () => {
  it("is made from a result that the schema takes", () => {
    expect(resultSchema.safeParse(fixtureResult()).error).toBeUndefined();
    expect(resultSchema.safeParse(fixtureResult({ blocks: 3, invalid: true })).error).toBeUndefined();
  });

  it("says whether the run is valid before any number of it", () => {
    const text = textOf(render(fixtureResult({ invalid: true })));
    const verdict = text.indexOf("This run is not valid");
    expect(verdict).toBeGreaterThan(-1);
    expect(text.indexOf("the A/A comparison fails on container")).toBeGreaterThan(verdict);
    expect(text.slice(0, verdict)).not.toMatch(/\d ?ms|\d ?%|unaffected|unacceptable/);
    expect(text).toContain("shared: nothing established Not to be relied on: On shared");
    expect(render(fixtureResult({ invalid: true }))).toContain("<title>Not valid: study");
    expect(textOf(page)).not.toContain("Not to be relied on");
  });

  it("says what emulates a platform's processor, and what each platform could do, beside what was made of it", () => {
    const text = textOf(render(emulatedResult()));
    expect(text).toContain("not how fast virtual machines are");
    expect(text.indexOf("qemu (TCG) is emulation")).toBeLessThan(text.indexOf("What apache1 felt"));
    expect(text).toContain("qemu (TCG) apache1/index.html 22.0 53");
    expect(text).toContain("every platform gets 0.09 of the planned load");
    expect(textOf(page)).toContain("Loads were sent as planned.");
  });

  it("names the slowest load of a platform that none is known to hurt, not one that little is known of", () => {
    const result = fixtureResult();
    const comparisons = result.comparisons.map((row) =>
      row.platform !== "container" || row.verdict === "reference"
        ? row
        : row.phase === "flood-100"
          ? { ...row, estimate: 7.25, verdict: "unaffected" as const }
          : { ...row, estimate: 3.5, verdict: "inconclusive" as const },
    );
    const sentence = /On container, 95 %.*?loads: [^.]*\./.exec(textOf(render({ ...result, comparisons })))?.[0];
    expect(sentence).toMatch(/Slowest under flood-100 .*7\.25 ms.* unaffected\. Of \d loads: \d inconclusive/);
    expect(textOf(page)).toContain("Worst under");
  });

  it("tells what stressors wrote in units that a reader takes in", () => {
    expect(textOf(page)).toMatch(/\d [KMG]iB written and read/);
  });

  it("says of a functional run that it measured nothing, and has what was done only", () => {
    const functional = render({ ...fixtureResult(), functional: true, comparisons: [] });
    expect(textOf(functional)).toContain("everything works, nothing was measured");
    const sections = (html: string) => [...html.matchAll(/<h2 id="(\w+)"/g)].map(([, id]) => id);
    expect(sections(functional)).toEqual(["validity", "loads", "trials", "environment"]);
    expect(sections(page)).toEqual(expect.arrayContaining(["verdicts", "phases", "annex", "method"]));
    for (const [, target] of functional.matchAll(/href="#([^"]*)"/g)) expect(functional).toContain(`id="${target}"`);
  });

  it("loads nothing from anywhere", () => {
    // Namespaces of SVG are names, not addresses that are fetched.
    const addresses = page.replaceAll(/xmlns(:\w+)?="[^"]*"/g, "");
    expect(addresses).not.toMatch(/\b(?:https?:)?\/\/[a-z]/i);
    expect(addresses).not.toMatch(/\s(?:src|srcset|xlink:href|data)=/);
    expect(addresses).not.toMatch(/<(?:link|iframe|object|embed|img)\b|@import|url\((?!#|'#|"#)/);
    for (const [, target] of addresses.matchAll(/href="([^"]*)"/g)) expect(target).toMatch(/^#/);
    expect(page).toContain("default-src &#39;none&#39;");
  });

  it("escapes what comes from files, in text, attributes and charts", () => {
    const evil = `<img src=x onerror="alert(1)">'&`;
    const result = fixtureResult();
    const hostile: Result = JSON.parse(
      JSON.stringify({ ...result, name: "NAME", reasons: ["NAME"] })
        .replaceAll("apache1", "NAME")
        .replaceAll("flood-500", "NAME"),
      (_key, value: unknown) => (typeof value === "string" ? value.replaceAll("NAME", evil) : value),
    ) as Result;
    const html = render(hostile);
    // As booleans, because a failure would print the whole page.
    expect(html.includes("<img")).toBe(false);
    expect(html.includes("&lt;img src=x onerror=&quot;alert(1)&quot;&gt;&#39;&amp;")).toBe(true);
  });

  it("says no answer, or ∞, where a figure is infinite, and shows no NaN, Infinity, null or undefined", () => {
    const text = textOf(page);
    expect(text).toMatch(/no answer ✕ did not return 1\.18 s to ∞ ∞ the reference \(1,180× to ∞\) 8\.3 % unanswered/);
    expect(text).toContain("∞ no answer");
    expect(text).not.toMatch(/NaN|Infinity|null|undefined/);
    expect(page).not.toMatch(/="[^"]*(?:NaN|Infinity|undefined)[^"]*"/);
  });

  it("has a bar chart and a distribution for every load, and the overview, each with a title and a description", () => {
    const charts = [...page.matchAll(/<svg class="chart" role="img" aria-labelledby="(\S+) (\S+)"/g)];
    expect(charts).toHaveLength(2 * 8 + 2);
    for (const [, title, description] of charts) {
      expect(page).toContain(`<title id="${title}">`);
      expect(page).toContain(`<desc id="${description}">`);
    }
    const ids = [...page.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id);
    expect(ids).toEqual([...new Set(ids)]);
    expect(page).toContain("100 ms: abnormal");
    expect(page).toContain("1,000 ms: unacceptable");
  });

  it("draws in variables of the style sheet, for both colour schemes", () => {
    expect(page).toContain('fill="var(--chart-shared)"');
    expect(page).not.toMatch(/#0a0b[01]\d/);
    expect(page).toContain("@media (prefers-color-scheme: dark)");
  });

  it("lists every trial, with the reasons of those that don't count, and leaves these out of the figures", () => {
    const text = textOf(page);
    for (const trial of fixtureResult().trials) expect(text).toContain(trial.id);
    expect(text).toContain("the host stole 3.4 % of the CPU time (limit 1 %)");
    const flooded = fixtureResult();
    for (const trial of flooded.trials) trial.valid = trial.phase !== "flood-1000" && trial.valid;
    flooded.comparisons = flooded.comparisons.filter((row) => row.phase !== "flood-1000");
    expect(textOf(render(flooded))).toContain("not compared: 0 of 5 trials valid");
  });

  it("sets the 2009 figures beside today's", () => {
    expect(textOf(page)).toMatch(/flood-1000 shared \(fig\. 20\) 331–411 3,029–6,450 3,235–6,451 shared 1,549 /);
    expect(textOf(page)).toMatch(/cpu-4 .{0,40}not measured .{0,80}Xen \(fig\. 25\) 2–8 2–33 3–33 container/);
  });

  it("says how figures were obtained, and how to run it again", () => {
    const text = textOf(page);
    for (const topic of ["Tukey’s far-out fence", "definition 7 of Hyndman and Fan", "The block is the unit"])
      expect(text).toContain(topic);
    expect(text).toContain("sign test, exact");
    expect(text).toContain("93.75 %");
    expect(text).toContain("cloison run experiment.yaml --seed 20091207");
  });

  it("gives the same text for the same result", () => {
    expect(render(fixtureResult())).toBe(page);
  });

  it("reads without curves, without annex runs, and without a single valid trial", () => {
    const bare = fixtureResult();
    for (const trial of bare.trials) trial.valid = false;
    const html = renderHtml({ ...bare, valid: false, reasons: ["no trial is valid"], comparisons: [] }, [], STUDY_2009);
    const text = textOf(html);
    expect(text).toContain("no load could be compared");
    expect(text).toContain("No samples to draw the distribution from");
    expect(text).toContain("no readings of the study’s own probe");
    expect(text).not.toMatch(/NaN|Infinity|null|undefined/);
    expect(html).not.toMatch(/="[^"]*(?:NaN|Infinity|undefined)[^"]*"/);
  });
});
