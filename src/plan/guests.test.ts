import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parseLab } from "../files/lab-file.ts";
import { withoutGuests } from "../model/network-state.ts";
import { diffNetwork } from "../netstate/diff.ts";
import { predict } from "../walk/predict.ts";
import { planLab } from "./plan.ts";

const text = readFileSync(new URL("../../examples/networks/mixed.yaml", import.meta.url), "utf8");
const plan = (ownKernels: boolean, accel = "auto", bringsVifs = false) =>
  planLab(parseLab("lab.yaml", `${text}\naccel: ${accel}\n`), {
    platform: { name: ownKernels ? "qemu" : "container", merges: false, ownKernels, bringsVifs },
    cpus: [0, 1],
    recipeOf: () => ({ base: "minbase", packages: [], files: {}, commands: [], services: {} }),
    uniteRecipes: ([first]) => first!,
    siteFiles: () => ({}),
  });

test("machines have taps in the host's namespace instead of veths, and what is inside is theirs", () => {
  const { network, domains, hostNamespace } = plan(true);
  const inside = new Set(domains.map(({ namespace }) => namespace));
  for (const { namespace, vifs } of domains) {
    expect(network[namespace]).toMatchObject({ guest: true });
    for (const { vif, guest, mac } of vifs) {
      expect(network[hostNamespace]?.links.find(({ name }) => name === vif)).toMatchObject({
        kind: "tap",
        peer: { namespace, name: guest },
      });
      expect(network[namespace]?.links.find(({ name }) => name === guest)).toMatchObject({ kind: "nic", mac });
    }
  }
  expect(Object.keys(withoutGuests(network)).filter((name) => inside.has(name))).toEqual([]);
  expect(diffNetwork(network, {}).filter(({ namespace }) => inside.has(namespace))).toEqual([]);
});

test("vifs that domains bring along are found there, and are like taps otherwise", () => {
  const asTap = JSON.stringify(plan(true, "auto", true).network).replaceAll('"vif","up"', '"tap","up"');
  expect(JSON.parse(asTap)).toEqual(plan(true).network);
  const { network, hostNamespace } = plan(true, "auto", true);
  expect(network[hostNamespace]?.links.find(({ name }) => name === "vif1.0")).toMatchObject({ kind: "vif" });
});

test("who reaches whom is the same for machines as for containers", () => {
  const [machines, containers] = [plan(true), plan(false)];
  const answers = ({ network, endpoints }: typeof machines) => predict(network, endpoints);
  expect(answers(machines)).toEqual(answers(containers));
});

test("only machines have an accelerator, and as many CPUs as they can use", () => {
  expect(plan(true, "tcg").domains.map(({ machine }) => machine)).toEqual(
    plan(true).domains.map(() => ({ accel: "tcg", vcpus: 1 })),
  );
  expect(plan(false).domains.filter(({ machine }) => machine !== undefined)).toEqual([]);
});
