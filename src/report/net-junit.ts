import { howText, questionText, stateOf, type NetRow } from "./net-row.ts";

/** JUnit XML: one test case a question, of the class `LAB.ASKER`. A difference is a failure; what cannot be predicted is skipped. */
export function junitText(lab: string, rows: readonly NetRow[]): string {
  const failures = rows.filter((row) => stateOf(row) === "differs").length;
  const skipped = rows.filter((row) => stateOf(row) === "open").length;
  const counts = `tests="${rows.length}" failures="${failures}" skipped="${skipped}" errors="0"`;
  return [
    `<?xml version="1.0" encoding="UTF-8"?>`,
    `<testsuites ${counts}>`,
    `  <testsuite name="${escape(`reachability of ${lab}`)}" ${counts}>`,
    ...rows.map((row) => caseText(lab, row)),
    `  </testsuite>`,
    `</testsuites>`,
    "",
  ].join("\n");
}

function caseText(lab: string, row: NetRow): string {
  const { question, answer, mismatches = [] } = row;
  const name = `${question.to} ${question.address} ${howText(question)}`;
  const open = `    <testcase classname="${escape(`${lab}.${question.from}`)}" name="${escape(name)}"`;
  const state = stateOf(row);
  if (state === "agrees") return `${open}/>`;
  if (state === "open") return `${open}><skipped message="${escape(`unknown: ${answer.unknown ?? ""}`)}"/></testcase>`;
  const told = mismatches.map(
    ({ field, predicted, observed }) => `${field}: predicted ${predicted}, observed ${observed}`,
  );
  const stop = answer.stop === null ? [] : [`predicted to stop at ${answer.stop.object} in ${answer.stop.namespace}`];
  const text = [questionText(question), ...told, ...stop].join("\n");
  return `${open}><failure message="${escape(told.join("; "))}">${escape(text)}</failure></testcase>`;
}

/** For text and attributes; control characters, which XML 1.0 has no way to write, become spaces. */
function escape(text: string): string {
  return (
    text
      // oxlint-disable-next-line no-control-regex
      .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, " ")
      .replaceAll("&", "&amp;")
      .replaceAll("<", "&lt;")
      .replaceAll(">", "&gt;")
      .replaceAll('"', "&quot;")
  );
}
