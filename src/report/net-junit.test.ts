import { expect, test } from "vitest";
import { observed, row } from "./net-fixture.ts";
import { junitText } from "./net-junit.ts";

test("a test case a question: a difference fails, what is unknown is skipped, text is escaped", () => {
  const icmp = { kind: "icmp" } as const;
  const rows = [
    observed(row("a", "b", icmp, "reachable"), "reachable"),
    observed(row("a", '<b> & "c"', icmp, "blocked"), "reachable"),
    observed(row("b", "a", { kind: "tcp", port: 80 }, "unknown"), "blocked"),
  ];
  expect(junitText("nat", rows)).toMatchInlineSnapshot(`
    "<?xml version="1.0" encoding="UTF-8"?>
    <testsuites tests="3" failures="1" skipped="1" errors="0">
      <testsuite name="reachability of nat" tests="3" failures="1" skipped="1" errors="0">
        <testcase classname="nat.a" name="b 10.0.0.2 ping"/>
        <testcase classname="nat.a" name="&lt;b&gt; &amp; &quot;c&quot; 10.0.0.2 ping"><failure message="outcome: predicted blocked, observed reachable">a → &lt;b&gt; &amp; &quot;c&quot;, 10.0.0.2, ping
    outcome: predicted blocked, observed reachable
    predicted to stop at inet cloison-nat forward: tcp dport 80 drop # handle 7 in cloison.nat.host</failure></testcase>
        <testcase classname="nat.b" name="a 10.0.0.2 tcp 80"><skipped message="unknown: tc filter on eth0 ingress: bpf"/></testcase>
      </testsuite>
    </testsuites>
    "
  `);
});
