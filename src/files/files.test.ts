import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { FileError } from "../model/issue.ts";
import { parseExperiment } from "./experiment-file.ts";
import { parseLab } from "./lab-file.ts";

const LAB = `name: demo
images:
  web: { recipe: web }
networks:
  lan: { subnet: 10.23.0.0/24 }
domains:
  apache1: { image: web, sites: [{ name: apache1 }] }
`;

function complaints(text: string): string[] {
  try {
    parseLab("lab.yaml", text);
  } catch (error) {
    if (error instanceof FileError) return error.lines;
    throw error;
  }
  return [];
}

test("a good lab is read, with defaults", () => {
  const lab = parseLab("lab.yaml", LAB);
  expect(lab.platform).toBe("container");
  expect(lab.domains["apache1"]).toMatchObject({ memory: 256 * 2 ** 20, cpuPeriod: 10, pids: 512 });
});

test.each([
  [
    "a misspelt key at the top",
    LAB.replace("networks:", "netwrks:"),
    ["lab.yaml:1:1 networks: is missing", "lab.yaml:4:1 netwrks: unknown key, did you mean networks?"],
  ],
  [
    "a misspelt key inside",
    LAB.replace("image: web,", "imgae: web,"),
    [
      "lab.yaml:7:3 domains.apache1.image: is missing",
      "lab.yaml:7:14 domains.apache1.imgae: unknown key, did you mean image?",
    ],
  ],
  [
    "a subnet that is none",
    LAB.replace("/24", "/33"),
    ["lab.yaml:5:10 networks.lan.subnet: 10.23.0.0/33 is not a CIDR block"],
  ],
  [
    "a wrong unit",
    LAB.replace("image: web,", "image: web, memory: 12 MB,"),
    ["lab.yaml:7:26 domains.apache1.memory: 12 MB is not a size: write a number and K, M, G or T, such as 512M"],
  ],
  [
    "a path as a name",
    LAB.replace("name: demo", "name: ../demo"),
    [
      "lab.yaml:1:1 name: ../demo is not a name: write a lower-case letter, then letters, digits or hyphens, 30 at most",
    ],
  ],
  [
    "shell characters in a domain's name",
    LAB.replace("  apache1:", "  $(reboot):"),
    [
      'lab.yaml:7:3 domains.$(reboot): "$(reboot)" is not a name: write a lower-case letter, then letters, digits or hyphens, 30 at most',
    ],
  ],
  ["a duplicate name", `${LAB}  apache1: { image: web }\n`, ["lab.yaml:8:3: Map keys must be unique"]],
  [
    "an image that is not there",
    LAB.replace("image: web,", "image: wbe,"),
    [
      "lab.yaml:7:14 domains.apache1.image: wbe is not among the images of this lab (web), nor is there one that `cloison image` has made",
    ],
  ],
  [
    "a recipe that is not there",
    LAB.replace("recipe: web", "recipe: wbe"),
    ["lab.yaml:3:10 images.web.recipe: wbe is not one of web, stress, plain; did you mean web?"],
  ],
  [
    "an address outside the subnet",
    LAB.replace("image: web,", "image: web, nics: [{ network: lan, address: 10.24.0.5 }],"),
    ["lab.yaml:7:49 domains.apache1.nics.0.address: 10.24.0.5 is outside 10.23.0.0/24 of network lan"],
  ],
  [
    "overlapping subnets",
    LAB.replace("domains:", "  two: { subnet: 10.23.0.128/25 }\ndomains:"),
    ["lab.yaml:6:10 networks.two.subnet: 10.23.0.128/25 overlaps 10.23.0.0/24 of network lan"],
  ],
  [
    "an uplink without the real router, and a router without an uplink",
    LAB.replace(
      "domains:",
      "  two: { subnet: 10.24.0.0/24, uplink: eth1 }\n  three: { subnet: 10.25.0.0/24, gateway: 10.25.0.9 }\ndomains:",
    ),
    [
      "lab.yaml:6:32 networks.two.uplink: needs gateway: the address of the real LAN's router",
      "lab.yaml:7:34 networks.three.gateway: only a network with an uplink has a router outside the lab",
    ],
  ],
  [
    "one interface for two networks, by a router outside the subnet",
    LAB.replace(
      "domains:",
      "  two: { subnet: 10.24.0.0/24, uplink: eth1, gateway: 10.24.0.1 }\n  three: { subnet: 10.25.0.0/24, uplink: eth1, gateway: 10.26.0.1 }\ndomains:",
    ),
    [
      "lab.yaml:7:34 networks.three.uplink: eth1 is already the uplink of network two",
      "lab.yaml:7:48 networks.three.gateway: 10.26.0.1 is outside 10.25.0.0/24",
    ],
  ],
  [
    "an interface name that is too long",
    LAB.replace("domains:", "  two: { subnet: 10.24.0.0/24, uplink: enp0s31f6abcdefg, gateway: 10.24.0.1 }\ndomains:"),
    [
      "lab.yaml:6:32 networks.two.uplink: enp0s31f6abcdefg is not the name of an interface: 15 bytes at most, no blanks",
    ],
  ],
  [
    "a lab larger than its subnet",
    LAB.replace("image: web,", "image: web, count: 300,").replace(", sites: [{ name: apache1 }]", ""),
    ["lab.yaml:5:10 networks.lan.subnet: 10.23.0.0/24 has room for 250 domains, and 300 interfaces want an address"],
  ],
  [
    "cpus beyond the cpuset",
    LAB.replace("image: web,", "image: web, cpus: 2, cpuset: '0',"),
    ["lab.yaml:7:26 domains.apache1.cpus: 2 is more than the 1 of its cpuset 0"],
  ],
])("%s is told exactly", (_what, text, lines) => {
  expect(complaints(text)).toEqual(lines);
});

test("all problems are told at once, in the order of the file", () => {
  const text = LAB.replace("/24", "/33")
    .replace("recipe: web", "recipe: wbe")
    .replace("image: web,", "image: web, pids: 2,");
  expect(complaints(text).map((line) => line.split(" ")[1])).toEqual([
    "images.web.recipe:",
    "networks.lan.subnet:",
    "domains.apache1.pids:",
  ]);
});

test("the study's own files are good, and an experiment's targets must be in its lab", async () => {
  const read = (name: string) => readFileSync(new URL(`../../examples/study/${name}`, import.meta.url), "utf8");
  const lab = parseLab("lab.yaml", read("lab.yaml"));
  const text = read("experiment.yaml");
  const { experiment } = await parseExperiment("experiment.yaml", text, async () => lab);
  expect(Object.keys(experiment.phases)).toEqual([
    "reference",
    "flood-100",
    "flood-500",
    "flood-1000",
    "disk",
    "cpu-1",
    "cpu-4",
    "cpu-4-disk",
  ]);
  await expect(
    parseExperiment("experiment.yaml", text.replaceAll("on: apache2", "on: apache3"), async () => lab),
  ).rejects.toThrow(
    "experiment.yaml:16:27 phases.flood-100.floods.0.on: apache3 is not a domain of the lab (apache1, apache2, linux1, linux2)",
  );
  // Nothing that is told of probes would tell them apart.
  const twice = text.replace("probes:\n", "probes:\n  - { probe: http, target: apache1, path: /compute.php }\n");
  await expect(parseExperiment("experiment.yaml", twice, async () => lab)).rejects.toThrow(
    "probes.1: is a second http probe of apache1",
  );
});
