/** The report's style sheet: system fonts, two colour schemes, one column on a phone, black on white on paper. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --sans: "Inter", "Source Sans 3", "Helvetica Neue", "Liberation Sans", Arial, sans-serif;
  --mono: ui-monospace, "SF Mono", "Cascadia Mono", "Liberation Mono", Menlo, Consolas, monospace;
  --paper: #fdfdfb; --raised: #f5f5f1; --ink: #1b1e23; --muted: #575e69; --rule: #dddfdd; --accent: #0b5c94;
  --chart-ink: #1b1e23; --chart-muted: #575e69; --chart-rule: #e5e6e3; --chart-paper: #fdfdfb;
  --chart-abnormal: #8a5c00; --chart-unacceptable: #a3122e;
  --chart-shared: #d1570c; --chart-namespace: #00855f; --chart-container: #0a6bac; --chart-qemu: #7b3fb0; --chart-xen: #a8174f;
  --good-back: #d9eeec; --good-ink: #0a5450;
  --slow-back: #faecc4; --slow-ink: #644700;
  --bad-back: #fbdcc3; --bad-ink: #7a3100;
  --worst-back: #f6d0d5; --worst-ink: #800e28;
  --lost-back: #33262b; --lost-ink: #ffffff;
  --open-back: #e8eaec; --open-ink: #434a54;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14171b; --raised: #1c2025; --ink: #e7e9ec; --muted: #a7aeb9; --rule: #31373f; --accent: #7cc0f2;
    --chart-ink: #e7e9ec; --chart-muted: #a7aeb9; --chart-rule: #282d34; --chart-paper: #14171b;
    --chart-abnormal: #e3b54c; --chart-unacceptable: #ff8a9b;
    --chart-shared: #ee8443; --chart-namespace: #42c99c; --chart-container: #56abea; --chart-qemu: #c49af2; --chart-xen: #f287ab;
    --good-back: #123f3d; --good-ink: #a6e6df;
    --slow-back: #453609; --slow-ink: #f6dc94;
    --bad-back: #54290b; --bad-ink: #ffc9a0;
    --worst-back: #5a1523; --worst-ink: #ffc4cb;
    --lost-back: #f1e9ec; --lost-ink: #2a1a20;
    --open-back: #2d333b; --open-ink: #ced4dc;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; scroll-behavior: smooth; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 var(--sans); font-kerning: normal; }
main, header, footer { max-width: 68rem; margin: 0 auto; padding: 0 1.5rem; }
header { padding-top: 2.75rem; }
h1 { font-size: clamp(1.75rem, 1.2rem + 2.2vw, 2.6rem); line-height: 1.14; letter-spacing: -0.022em; margin: 0.2rem 0 0.7rem; font-weight: 700; text-wrap: balance; }
h2 { font-size: 1.4rem; line-height: 1.25; letter-spacing: -0.012em; margin: 3.6rem 0 0.5rem; padding-top: 1.1rem; border-top: 2px solid var(--ink); }
h3 { font-size: 1.06rem; line-height: 1.35; margin: 2rem 0 0.35rem; }
p { margin: 0.55rem 0; max-width: 44rem; text-wrap: pretty; }
a { color: var(--accent); }
.kicker { font-size: 0.82rem; font-weight: 600; letter-spacing: 0.02em; color: var(--muted); margin: 0; }
.meta { color: var(--muted); font-size: 0.92rem; max-width: none; }
.note, figcaption, caption { color: var(--muted); font-size: 0.86rem; line-height: 1.45; }
code, kbd { font: 0.9em var(--mono); }
pre { font: 0.86rem/1.5 var(--mono); background: var(--raised); padding: 0.8rem 1rem; overflow-x: auto; border-radius: 4px; }
nav { margin-top: 1.4rem; font-size: 0.9rem; display: flex; flex-wrap: wrap; gap: 0.2rem 1.1rem; }
.validity { margin: 1.6rem 0 0; padding: 0.95rem 1.15rem; border-left: 6px solid; border-radius: 3px; }
.validity h2 { all: unset; display: block; font-weight: 700; font-size: 1.12rem; }
.validity p { margin: 0.2rem 0 0; max-width: 52rem; }
.validity ul { margin: 0.5rem 0 0; padding-left: 1.2rem; }
.validity.valid { background: var(--good-back); color: var(--good-ink); border-color: var(--good-ink); }
.validity.indicative { background: var(--slow-back); color: var(--slow-ink); border-color: var(--slow-ink); }
.validity.invalid { background: var(--worst-back); color: var(--worst-ink); border-color: var(--worst-ink); }
.headlines { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(18rem, 100%), 1fr)); gap: 1.6rem 2.6rem; margin: 2.1rem 0 0; }
.headline { border-top: 4px solid var(--mark); padding-top: 0.75rem; }
.headline h3 { margin: 0; font-size: 1.28rem; line-height: 1.3; letter-spacing: -0.01em; text-wrap: balance; }
.headline p { margin: 0.45rem 0 0; }
.unbroken { display: inline-block; }
figure { margin: 1.4rem 0 0; min-width: 0; }
figure .chart { display: block; width: 100%; height: auto; overflow: visible; }
figcaption { margin-top: 0.4rem; max-width: 46rem; }
.narrow { display: none; }
.legend { display: flex; flex-wrap: wrap; gap: 0.3rem 1.4rem; margin: 1rem 0 0; padding: 0; list-style: none; font-size: 0.9rem; }
.legend li { display: flex; align-items: center; gap: 0.45rem; }
.legend svg { flex: none; }
.phase { margin-top: 2.6rem; break-inside: avoid; }
.phase > header { all: unset; display: flex; flex-wrap: wrap; align-items: baseline; gap: 0.25rem 1.1rem; border-bottom: 1px solid var(--rule); padding-bottom: 0.4rem; }
.phase h3 { margin: 0; font-size: 1.16rem; }
.phase .load { color: var(--muted); font-size: 0.95rem; flex: 1 1 14rem; }
.phase .answers { display: flex; flex-wrap: wrap; gap: 0.3rem 1rem; font-size: 0.88rem; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(23rem, 100%), 1fr)); gap: 0.6rem 2rem; }
.pair figure { margin-top: 0.8rem; }
.pair h4 { margin: 0 0 0.2rem; font-size: 0.86rem; font-weight: 600; color: var(--muted); }
.verdict { display: inline-flex; align-items: baseline; gap: 0.4em; padding: 0.1em 0.6em 0.12em; border-radius: 3px; font-size: 0.86rem; font-weight: 600; white-space: nowrap; line-height: 1.5; }
.verdict i { font-style: normal; font-size: 0.85em; }
.unaffected { background: var(--good-back); color: var(--good-ink); }
.degraded { background: var(--slow-back); color: var(--slow-ink); }
.abnormal { background: var(--bad-back); color: var(--bad-ink); }
.unacceptable { background: var(--worst-back); color: var(--worst-ink); }
.did-not-return { background: var(--lost-back); color: var(--lost-ink); }
.inconclusive { background: var(--open-back); color: var(--open-ink); }
.reference { color: var(--muted); padding-left: 0; font-weight: 400; }
.scroll { overflow-x: auto; margin-top: 1.7rem; }
.scroll:focus-visible, summary:focus-visible, a:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
table { border-collapse: collapse; width: 100%; font-size: 0.9rem; line-height: 1.4; font-variant-numeric: tabular-nums lining-nums; }
caption { text-align: left; padding: 0 0 0.5rem; caption-side: top; }
th { font-weight: 600; text-align: left; }
thead th { white-space: nowrap; border-bottom: 1.5px solid var(--ink); vertical-align: bottom; padding: 0.3rem 0.8rem 0.35rem 0; }
td, tbody th { padding: 0.32rem 0.8rem 0.32rem 0; vertical-align: baseline; }
tbody tr:last-child > * { border-bottom: 1px solid var(--rule); }
.n + :not(.n) { padding-left: 0.8rem; }
td:last-child, th:last-child { padding-right: 0; }
.n { text-align: right; }
td, tbody th { white-space: nowrap; }
.text, .matrix td, .matrix tbody th { white-space: normal; }
.text { min-width: 15rem; }
caption { width: min(46rem, calc(100vw - 2.1rem)); }
tbody tr:not(.repeat) > * { border-top: 1px solid var(--rule); }
tbody tr.group > * { border-top-color: var(--muted); }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.quiet { color: var(--muted); font-weight: 400; }
.then { background: var(--raised); }
thead .then, td.then { padding-left: 0.6rem; padding-right: 0.6rem; }
thead .then + th:not(.then), td.then + td:not(.then) { padding-left: 0.9rem; }
.matrix td { min-width: 8.5rem; }
.matrix td, .matrix tbody th { padding-top: 0.6rem; padding-bottom: 0.6rem; vertical-align: top; }
.matrix .load { display: block; font-weight: 400; color: var(--muted); font-size: 0.86rem; max-width: 22rem; }
.matrix .answer { display: flex; flex-wrap: wrap; gap: 0.15rem 0.7rem; align-items: baseline; margin-bottom: 0.2rem; }
.matrix .p95 { font-size: 1.08rem; font-weight: 600; white-space: nowrap; }
.matrix .doubt { display: block; color: var(--muted); font-size: 0.84rem; }
.meanings { display: grid; grid-template-columns: max-content 1fr; gap: 0.35rem 0.9rem; margin: 1.1rem 0 0; font-size: 0.86rem; color: var(--muted); align-items: baseline; }
.meanings dt, .meanings dd { margin: 0; }
details { margin-top: 1.1rem; }
summary { cursor: pointer; font-weight: 600; font-size: 0.95rem; }
.invalid-row > * { background: var(--worst-back); color: var(--worst-ink); }
.facts { display: grid; grid-template-columns: minmax(7rem, max-content) 1fr; gap: 0.3rem 1.4rem; margin: 1rem 0 0; font-size: 0.93rem; }
.facts dt { color: var(--muted); }
.facts dd { margin: 0; overflow-wrap: anywhere; }
.how { display: grid; grid-template-columns: 11rem 1fr; gap: 0.9rem 1.6rem; margin: 1.2rem 0 0; font-size: 0.95rem; }
.how dt { font-weight: 600; }
.how dd { margin: 0; max-width: 46rem; }
footer { color: var(--muted); font-size: 0.86rem; padding-top: 3rem; padding-bottom: 3rem; }
@media (max-width: 40rem) {
  main, header, footer { padding-left: 1.05rem; padding-right: 1.05rem; }
  header { padding-top: 1.5rem; }
  .wide { display: none; }
  .narrow { display: block; }
  .matrix td { min-width: 6.9rem; }
  .matrix .verdict { white-space: normal; }
  td, tbody th, thead th { padding-right: 0.6rem; }
  .meanings, .facts, .how { grid-template-columns: 1fr; gap: 0.1rem; }
  .meanings dd, .facts dd, .how dd { margin-bottom: 0.6rem; }
  .meanings dt { justify-self: start; }
}
@media print {
  :root {
    color-scheme: light;
    --paper: #ffffff; --raised: #f4f4f1; --ink: #000000; --muted: #4a4f57; --rule: #cccccc; --accent: #000000;
    --chart-ink: #000000; --chart-muted: #4a4f57; --chart-rule: #dddddd; --chart-paper: #ffffff;
    --chart-abnormal: #8a5c00; --chart-unacceptable: #a3122e;
    --chart-shared: #d1570c; --chart-namespace: #00855f; --chart-container: #0a6bac; --chart-qemu: #7b3fb0; --chart-xen: #a8174f;
    --good-back: #d9eeec; --good-ink: #0a5450; --slow-back: #faecc4; --slow-ink: #644700;
    --bad-back: #fbdcc3; --bad-ink: #7a3100; --worst-back: #f6d0d5; --worst-ink: #800e28;
    --lost-back: #33262b; --lost-ink: #ffffff; --open-back: #e8eaec; --open-ink: #434a54;
  }
  html { font-size: 11.5px; }
  body { font-size: 1rem; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  main, header, footer { max-width: none; padding-left: 0; padding-right: 0; }
  nav { display: none; }
  h2, h3, summary { break-after: avoid; }
  h2 { margin-top: 2rem; }
  figure, tr, .validity, .headline { break-inside: avoid; }
  .scroll { overflow: visible; }
  table { font-size: 0.82rem; }
  td, tbody th, thead th { white-space: normal; padding-right: 0.5rem; }
  .pair { grid-template-columns: 1fr 1fr; }
  details::details-content { content-visibility: visible; block-size: auto; }
}
`;
