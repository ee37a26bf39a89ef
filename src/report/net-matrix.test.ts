import { expect, test } from "vitest";
import { observed, row } from "./net-fixture.ts";
import { matrixText } from "./net-matrix.ts";
import { createPainter } from "./painter.ts";

const plain = createPainter(false);
const icmp = { kind: "icmp" } as const;
const tcp = (port: number) => ({ kind: "tcp", port }) as const;

test("predictions alone: a row for who asks, a column for who is asked", () => {
  const rows = [
    row("web", "outside", icmp, "reachable"),
    row("outside", "web", icmp, "blocked"),
    row("outside", "web", tcp(80), "reachable"),
    row("outside", "web", tcp(81), "blocked"),
    row("web", "outside", tcp(80), "unknown"),
  ];
  expect(matrixText(rows, plain, 100)).toMatchInlineSnapshot(`
    "ping     web  outside
    web                 ✓
    outside    ·

    services  outside  web
    outside              ◐
    web             ?

    ✓ reachable
    · blocked
    ◐ some addresses or ports
    ? not predictable

    ? web → outside, 10.0.0.2, tcp 80: tc filter on eth0 ingress: bpf

    5 questions: 2 reachable, 2 blocked, 1 not predictable"
  `);
});

test("observations: what differs is marked and told below, with the object and where it was last seen", () => {
  const rows = [
    observed(row("web", "outside", icmp, "reachable"), "reachable"),
    observed(row("outside", "web", icmp, "blocked"), "reachable"),
  ];
  expect(matrixText(rows, plain, 100)).toMatchInlineSnapshot(`
    "ping     web  outside
    web                 ✓
    outside    ✗

    ✓ reachable as predicted
    · blocked as predicted
    ◐ some addresses or ports as predicted
    ✗ not as predicted
    ? not predictable

    ✗ outside → web, 10.0.0.2, ping
        answer: predicted blocked, observed reachable
        predicted to stop at inet cloison-nat forward: tcp dport 80 drop # handle 7 in cloison.nat.host: the rule drops it
        last seen in trunk0 in cloison.nat.host

    2 questions: 2 reachable, 0 blocked; 1 not as predicted"
  `);
});

test("many columns are numbered, fit the terminal, and are named below", () => {
  const names = Array.from({ length: 24 }, (_, i) => `domain${i + 1}`);
  const rows = names.flatMap((from) => names.filter((to) => to !== from).map((to) => row(from, to, icmp, "reachable")));
  for (const width of [60, 100]) {
    const lines = matrixText(rows, plain, width).split("\n");
    const table = lines.filter((line) => /^(domain|ping|\d+ domain)/.test(line));
    expect(Math.max(...table.map((line) => line.length))).toBeLessThanOrEqual(width);
    expect(lines.join("\n")).toContain("23 domain23");
  }
});

test("colours come from the painter alone", () => {
  const rows = [row("a", "b", icmp, "reachable")];
  const seen: string[] = [];
  const painter = { ...plain, good: (text: string) => (seen.push(text), text) };
  matrixText(rows, painter, 80);
  expect(seen).toContain("✓");
});
