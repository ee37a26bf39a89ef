// The layers of docs/architecture.md, as one table: what each folder of src/ may import beside itself, `model` and
// packages. scripts/layers.mjs runs this, asserts that files were really read, and that every rule can fail.

/** `types:` means: types only, nothing at run time. */
const mayImport = {
  model: [],
  host: [],
  files: [],
  networks: [],
  schedule: [],
  stats: [],
  walk: [],
  plan: ["networks", "types:netstate"],
  report: ["types:stats"],
  images: ["host"],
  samples: ["host"],
  netstate: ["host"],
  switch: ["host", "types:netstate"],
  uplink: ["host"],
  verify: ["host"],
  remote: ["host"],
  load: ["host", "contracts"],
  lab: ["plan", "netstate", "switch", "uplink", "host", "contracts"],
  experiment: ["lab", "load", "schedule", "stats", "host", "samples", "contracts"],
  app: [
    "files",
    "plan",
    "networks",
    "walk",
    "schedule",
    "stats",
    "report",
    "images",
    "samples",
    "netstate",
    "switch",
    "uplink",
    "verify",
    "remote",
    "load",
    "lab",
    "experiment",
    "host",
    "contracts",
  ],
  cli: ["app"],
  server: ["app"],
};

/** The platform contract and what lies beside it, without the concrete platforms. */
const contracts = "^src/platforms/[^/]+$";
/** platforms/oci runs OCI containers for these two, platforms/guest is what machines have in common; platforms never see each other. */
const mayUseOci = ["container", "shared"];
const mayUseGuest = ["qemu", "xen"];

const tests = "\\.test\\.ts$";
const folder = (name) => (name === "contracts" ? contracts : `^src/${name}/`);

/** Rules that an `import type` does not break. */
const typesAllowed = Object.entries(mayImport).flatMap(([layer, allowed]) =>
  allowed.filter((name) => name.startsWith("types:")).map((name) => `${layer}-${name.slice("types:".length)}-types`),
);

const layerRules = Object.entries(mayImport).flatMap(([layer, allowed]) => {
  const free = allowed.filter((name) => !name.startsWith("types:"));
  const typesOnly = allowed.filter((name) => name.startsWith("types:")).map((name) => name.slice("types:".length));
  const from = { path: folder(layer), pathNot: tests };
  const own = [layer, "model", ...free, ...typesOnly].map(folder);
  return [
    {
      name: layer,
      comment: `${layer}/ may import ${["model", ...allowed].join(", ")} and nothing else of ours`,
      severity: "error",
      from,
      to: { path: "^(src|test|bench|scripts|web)/", pathNot: own },
    },
    ...typesOnly.map((name) => ({
      name: `${layer}-${name}-types`,
      comment: `${layer}/ may import types of ${name}/ only`,
      severity: "error",
      from,
      to: { path: folder(name) },
    })),
  ];
});

module.exports = {
  /** Folders of src/ that have a rule; a file anywhere else is an error (scripts/layers.mjs). */
  layers: [...Object.keys(mayImport), "platforms"],
  typesAllowed,
  forbidden: [
    ...layerRules,
    {
      name: "platforms",
      comment: "platforms/ may import model, host and the platform contract",
      severity: "error",
      from: { path: "^src/platforms/", pathNot: tests },
      to: { path: "^(src|test|bench|scripts|web)/", pathNot: ["^src/(model|host|platforms)/"] },
    },
    {
      name: "platform-contract",
      comment: "the platform contract knows no concrete platform; only compose.ts does",
      severity: "error",
      from: { path: contracts, pathNot: tests },
      to: { path: "^src/platforms/[^/]+/" },
    },
    {
      name: "platforms-apart",
      comment: "platforms never see each other; oci serves container and shared, guest serves qemu and xen",
      severity: "error",
      from: {
        path: "^src/platforms/([^/]+)/",
        pathNot: [tests, `^src/platforms/(${[...mayUseOci, ...mayUseGuest].join("|")})/`],
      },
      to: { path: "^src/platforms/[^/]+/", pathNot: "^src/platforms/$1/" },
    },
    {
      name: "platforms-over-oci",
      comment: "container and shared see oci, not each other",
      severity: "error",
      from: { path: `^src/platforms/(${mayUseOci.join("|")})/`, pathNot: tests },
      to: { path: "^src/platforms/[^/]+/", pathNot: "^src/platforms/($1|oci)/" },
    },
    {
      name: "platforms-over-guest",
      comment: "qemu and xen see guest, not each other",
      severity: "error",
      from: { path: `^src/platforms/(${mayUseGuest.join("|")})/`, pathNot: tests },
      to: { path: "^src/platforms/[^/]+/", pathNot: "^src/platforms/($1|guest)/" },
    },
    {
      name: "no-test-in-product",
      comment: "the program imports no test",
      severity: "error",
      from: { path: "^src/", pathNot: tests },
      to: { path: [tests, "^test/"] },
    },
    {
      name: "resolvable",
      comment: "the imported file or package is not there",
      severity: "error",
      from: { path: "^(src|test|bench)/" },
      to: { couldNotResolve: true },
    },
  ],
  options: {
    // TypeScript 7 has no API that dependency-cruiser knows; without swc it reads no file and reports success. swc in
    // turn does not tell `import type` from `import`: scripts/layers.mjs does, and looks for cycles.
    parser: "swc",
    tsPreCompilationDeps: true,
    doNotFollow: { path: ["node_modules"] },
    exclude: { path: ["^dist/"] },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "node", "default"],
      extensions: [".ts", ".mjs", ".js", ".json"],
    },
  },
};
