import { expect, test } from "vitest";
import type { Step } from "../model/reachability.ts";
import { answer, observed, row, STOP } from "./net-fixture.ts";
import { whyText } from "./net-why.ts";
import { createPainter } from "./painter.ts";

const plain = createPainter(false);
const question = row("a", "b", { kind: "tcp", port: 80 }, "blocked").question;
const step = (namespace: string, does: string, object: string | null, text: string, onReply = false): Step => ({
  namespace,
  does,
  object,
  text,
  onReply,
});

test("hop by hop, a heading for each namespace, ending with the object, its reason and the remedy", () => {
  const steps = [
    step("cloison.nat.a", "route", "default via 10.0.0.254 dev eth0", "goes to its gateway"),
    step("cloison.nat.a", "send", null, "leaves through eth0"),
    step("cloison.nat.host", "nft", STOP.object, "is dropped"),
  ];
  const observation = observed(row("a", "b", question.how, "blocked"), "blocked").observation;
  if (observation === undefined) expect.fail("a fixture");
  const trace = [
    {
      namespace: "cloison.nat.host",
      packet: "1",
      family: "inet",
      table: "cloison-nat",
      chain: "forward",
      rule: "tcp dport 80 drop",
      handle: 7,
      verdict: "drop",
    },
  ];
  const story = {
    question,
    answer: answer("blocked", { steps }),
    planned: "reachable",
    blame: ["rule added to inet cloison-nat forward"],
    selfReported: ["a"],
    confirmation: { observation, trace, disagreements: [] },
  } as const;
  expect(whyText(story, plain)).toMatchInlineSnapshot(`
    "a → b, 10.0.0.2, tcp 80

    the request
      cloison.nat.a
        route  goes to its gateway
               default via 10.0.0.254 dev eth0
        send   leaves through eth0
      cloison.nat.host
        nft    is dropped
               inet cloison-nat forward: tcp dport 80 drop # handle 7

    ✗ the packet stops in cloison.nat.host: the rule drops it
      inet cloison-nat forward: tcp dport 80 drop # handle 7
      nft delete rule inet cloison-nat forward handle 7

    By the plan it would be reachable. What differs:
      rule added to inet cloison-nat forward

    Told by the guests themselves: what holds inside a.

    a real packet: blocked
      → out eth0 in cloison.nat.a
      → in  trunk0 in cloison.nat.host, VLAN 10
    what nftables did to it
      cloison.nat.host: inet cloison-nat forward: tcp dport 80 drop # handle 7: drop
    ✓ the walk and the packet agree"
  `);
});

test("an answer that comes back, one that stops on its way back, and one that is not known", () => {
  const reply = step("cloison.nat.b", "send", null, "answers", true);
  const reached = answer("reachable", { steps: [reply], hops: ["10.0.0.254"] });
  expect(whyText({ question, answer: reached }, plain)).toMatchInlineSnapshot(`
    "a → b, 10.0.0.2, tcp 80

    the answer
      cloison.nat.b
        send  answers

    ✓ reachable, answered by b, which sees 10.0.0.1 as the source, TTL 64 on arrival, through 10.0.0.254"
  `);
  const back = answer("blocked", { stop: { ...STOP, onReply: true } });
  expect(whyText({ question, answer: back }, plain)).toContain("✗ the answer stops in cloison.nat.host");
  expect(whyText({ question, answer: answer("unknown") }, plain)).toContain(
    "? unknown: tc filter on eth0 ingress: bpf",
  );
});

test("a walk that was wrong says so", () => {
  const { observation, mismatches = [] } = observed(row("a", "b", question.how, "blocked"), "reachable");
  if (observation === undefined) expect.fail("a fixture");
  const confirmation = { observation, trace: [], disagreements: mismatches };
  expect(whyText({ question, answer: answer("blocked"), confirmation }, plain)).toContain(
    "outcome: walked blocked, observed reachable",
  );
});
