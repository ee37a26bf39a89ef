import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { parseLab } from "../files/lab-file.ts";
import type { Recipe } from "../model/image.ts";
import type { VlanBackend } from "../model/network.ts";
import { planLab } from "../plan/plan.ts";
import { predict, type Prediction } from "./predict.ts";
import { withLeases } from "./with-leases.ts";

const recipe: Recipe = { base: "minbase", packages: [], files: {}, commands: [], services: {} };

function predicted(name: string, vlanBackend: VlanBackend = "kernel"): Prediction[] {
  const path = fileURLToPath(new URL(`../../examples/networks/${name}.yaml`, import.meta.url));
  const lab = parseLab(path, readFileSync(path, "utf8"));
  const plan = planLab(lab, {
    platform: { name: lab.platform, merges: false },
    cpus: [0, 1],
    recipeOf: () => recipe,
    uniteRecipes: () => recipe,
    siteFiles: () => ({}),
    vlanBackend,
  });
  return predict(withLeases(plan.network, plan.domains), plan.endpoints);
}

/** Answers by `from → to how`, of IPv4; of several addresses the first. */
function answers(predictions: readonly Prediction[]) {
  const found = new Map<string, Prediction["answer"]>();
  for (const { question, answer } of predictions) {
    const how = "port" in question.how ? `${question.how.port}` : question.how.kind;
    const key = `${question.from} → ${question.to} ${how}`;
    if (!question.address.includes(":") && !found.has(key)) found.set(key, answer);
  }
  return (key: string) => {
    const answer = found.get(key);
    if (answer === undefined) throw new Error(`nobody asks ${key}`);
    return answer;
  };
}

const outcomes = (predictions: readonly Prediction[]) => [...new Set(predictions.map(({ answer }) => answer.outcome))];

describe("the examples, predicted", () => {
  test("bridge: everybody reaches everybody, at layer 2 too", () => {
    expect(outcomes(predicted("bridge"))).toEqual(["reachable"]);
  });

  test("routed: the LAN sees the host's MAC, and one router", () => {
    const all = predicted("routed");
    const ask = answers(all);
    const host = ask("station → host arp").mac;
    expect(ask("station → web arp")).toMatchObject({ mac: host, answeredBy: "host" });
    expect(ask("outside → mail arp")).toMatchObject({ mac: host });
    expect(ask("station → web icmp")).toMatchObject({ ttl: 63, hops: ["10.23.0.252"], seenSource: "10.23.0.254" });
    expect(ask("web → mail icmp")).toMatchObject({ outcome: "reachable", ttl: 63 });
    // Guests stand alone: on layer 2 there is only the host.
    expect(ask("web → mail arp").outcome).toBe("blocked");
    expect(all.filter(({ question, answer }) => question.how.kind !== "arp" && answer.outcome !== "reachable")).toEqual(
      [],
    );
  });

  test("nat: out with the host's address, in through the forward only", () => {
    const ask = answers(predicted("nat"));
    expect(ask("web → outside icmp")).toMatchObject({ outcome: "reachable", seenSource: "10.23.0.252", ttl: 63 });
    expect(ask("outside → web icmp")).toMatchObject({ outcome: "blocked", stop: { cause: "no-route" } });
    expect(ask("outside → host 8080")).toMatchObject({ outcome: "reachable", answeredBy: "web", ttl: 63 });
    expect(ask("client → host 8080")).toMatchObject({
      outcome: "reachable",
      answeredBy: "web",
      seenSource: "10.200.0.1",
    });
    expect(ask("host → web icmp")).toMatchObject({ outcome: "reachable" });
    expect(ask("guest1 → guest2 icmp").stop?.cause).toBe("port-isolated");
    expect(ask("guest1 → outside icmp").outcome).toBe("reachable");
    expect(ask("safe1 → safe2 icmp").outcome).toBe("reachable");
    expect(ask("safe1 → outside icmp").outcome).toBe("blocked");
    expect(ask("host → safe1 icmp").outcome).toBe("blocked");
  });

  test.each<VlanBackend>(["kernel", "openvswitch"])(
    "vlan-dmz over %s: only the web server's question passes the firewall",
    (backend) => {
      const ask = answers(predicted("vlan-dmz", backend));
      expect(ask("web → db 5432")).toMatchObject({ outcome: "reachable", ttl: 63, hops: ["10.2.0.1"] });
      expect(ask("web → db 22").stop?.cause).toBe("nft-policy");
      expect(ask("db → web 80").stop).toMatchObject({ cause: "nft-policy", onReply: false });
      expect(ask("web → db arp").outcome).toBe("blocked");
      expect(ask("web → outside-dmz icmp").outcome).toBe("reachable");
      expect(ask("outside-dmz → db icmp").outcome).toBe("blocked");
      expect(ask("host → web icmp").outcome).toBe("blocked");
      expect(ask("web → host icmp").outcome).toBe("blocked");
    },
  );

  test("both backends of VLANs give the same answers", () => {
    const told = (backend: VlanBackend) =>
      predicted("vlan-dmz", backend).map(
        ({ question, answer: { outcome, seenSource, ttl, hops, mac, answeredBy } }) => ({
          question,
          answer: { outcome, seenSource, ttl, hops, mac, answeredBy },
        }),
      );
    expect(told("openvswitch")).toEqual(told("kernel"));
  });

  test("class-of-20: students reach out, and not each other", () => {
    const ask = answers(predicted("class-of-20"));
    expect(ask("student1 → student2 icmp").stop?.cause).toBe("port-isolated");
    expect(ask("student1 → outside icmp").outcome).toBe("reachable");
  });

  test.each(["bridge", "routed", "nat", "vlan-dmz", "mixed", "two-nics", "class-of-20"])(
    "%s leaves nothing unknown",
    (name) => {
      expect(predicted(name).filter(({ answer }) => answer.outcome === "unknown")).toEqual([]);
    },
  );
});
