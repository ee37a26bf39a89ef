import { expect, test } from "vitest";
import { partsOf } from "./import-disk.ts";
import { parseFacts } from "./import-image.ts";
import { servicesOf } from "./import-oci.ts";

test("a system says what it is by its os-release and its packages", () => {
  const debian = 'PRETTY_NAME="Debian"\nID=debian\nVERSION_CODENAME=bookworm\n--\ntini\t0.19.0-1\nbash\t5.2\n';
  expect(parseFacts(debian)).toEqual({ suite: "debian bookworm", packages: { tini: "0.19.0-1", bash: "5.2" } });
  expect(parseFacts('ID="alpine"\nVERSION_ID=3.20.1\n--\n')).toEqual({ suite: "alpine 3.20.1", packages: {} });
  expect(parseFacts("--\n")).toEqual({ suite: "unknown", packages: {} });
});

test("what an OCI image runs is a service, as its user, in its folder, with its variables", () => {
  const of = (config: object) => servicesOf({ config })["main"]?.command;
  expect(of({ Cmd: ["/bin/sh"] })).toBeUndefined();
  expect(of({})).toBeUndefined();
  expect(of({ Entrypoint: ["nginx", "-g"], Cmd: ["daemon off;"] })).toEqual([
    "sh",
    "-c",
    "exec 'nginx' '-g' 'daemon off;'",
  ]);
  expect(of({ Cmd: ["a"], Env: ["A=it's", "bad name=x"], WorkingDir: "/srv" })).toEqual([
    "sh",
    "-c",
    `cd '/srv' && exec env 'A=it'\\''s' 'a'`,
  ]);
  expect(of({ Cmd: ["a"], User: "web:web" })).toEqual(["su", "-s", "/bin/sh", "web", "-c", "exec 'a'"]);
});

test("a disk's parts are tried from the largest on; without a table all of it", () => {
  expect(partsOf("")).toEqual([{ offset: 0, size: 0 }]);
  const table = {
    partitiontable: {
      sectorsize: 512,
      partitions: [
        { start: 2048, size: 8 },
        { start: 4096, size: 80 },
      ],
    },
  };
  expect(partsOf(JSON.stringify(table))).toEqual([
    { offset: 4096 * 512, size: 80 * 512 },
    { offset: 2048 * 512, size: 8 * 512 },
  ]);
});
