import { stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";
import { emulatedResult, fixtureResult } from "./fixture.ts";
import { renderTerminalTable } from "./terminal.ts";

const plain = { colour: false, width: 130 };

describe("the report in the terminal", () => {
  it("says first whether the run is valid, and why not", () => {
    expect(renderTerminalTable(fixtureResult(), plain)).toMatch(/^✔ This run is valid\n/);
    const invalid = renderTerminalTable(fixtureResult({ invalid: true }), plain);
    expect(invalid).toMatch(
      /^✘ This run is not valid\n {2}Nothing below may be relied on\..*\n {2}- the A\/A comparison fails/,
    );
    expect(invalid).toContain("Not to be relied on: On shared,");
    expect(renderTerminalTable(fixtureResult({ blocks: 3 }), plain)).toMatch(
      /^▲ This run is valid, its verdicts are indicative/,
    );
  });

  it("says of a functional run that it measured nothing, and tells no time", () => {
    const functional = { ...fixtureResult(), functional: true, comparisons: [] };
    const text = renderTerminalTable(functional, plain);
    expect(text).toMatch(/^▲ This run is functional: everything works, nothing was measured\n/);
    expect(text).not.toMatch(/\d m?s\b|p95/);
    const failed = { ...functional, valid: false, reasons: ["block 1, xen, disk: was not run"] };
    expect(renderTerminalTable(failed, plain)).toMatch(
      /^✘ This functional run failed\n[^]*- block 1, xen, disk: was not run/,
    );
  });

  it("has the annex's columns, the verdicts with their intervals, and a sentence for each platform", () => {
    const text = renderTerminalTable(fixtureResult(), plain);
    expect(text).toMatch(
      /figure +platform +load +target +runs +requests +concurrency +min +mean +sd +median +p95 +max/,
    );
    expect(text).toMatch(/shared +flood-1000 +2\.21 s +1\.91 s to 2\.56 s +567× +■ unacceptable/);
    expect(text).toMatch(/shared +cpu-4-disk +no answer +1\.18 s to ∞ +∞ +✕ did not return/);
    expect(text).toContain("On container, 95 % of apache1’s answers came within 3.60 ms at rest.");
  });

  it("names what emulates a platform's processor, and how far loads were scaled for it", () => {
    const text = renderTerminalTable(emulatedResult(), { colour: false, width: 400 });
    expect(text).toMatch(/qemu \(TCG\) +reference/);
    expect(text).toContain("On qemu (TCG), 95 % of apache1’s answers came within 3.60 ms at rest.");
    expect(text).toContain("qemu (TCG) is emulation");
    expect(text).toContain("apache1/index.html on qemu takes 22.0 ms when nothing else runs");
    expect(text).toContain("every platform gets 0.09 of the planned load");
    expect(renderTerminalTable(fixtureResult(), plain)).not.toMatch(/TCG|planned load/);
  });

  it("gives no interval and calls verdicts indicative with fewer than 5 blocks", () => {
    const text = renderTerminalTable(fixtureResult({ blocks: 3 }), plain);
    expect(text).toMatch(/shared +flood-1000 +2\.21 s +– +567× +■ unacceptable \(indicative\)/);
    expect(text).not.toContain("1.91 s to 2.56 s");
  });

  it.each([60, 80, 100, 130])("stays within %d columns", (width) => {
    const lines = renderTerminalTable(fixtureResult(), { colour: false, width }).split("\n");
    expect(lines.filter((line) => line.trimEnd().length > width)).toEqual([]);
  });

  it("colours only when it may", () => {
    const coloured = renderTerminalTable(fixtureResult(), { ...plain, colour: true });
    expect(coloured).toContain("\u001b[");
    expect(stripVTControlCharacters(coloured)).toBe(renderTerminalTable(fixtureResult(), plain));
  });
});
