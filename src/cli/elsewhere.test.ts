import { describe, expect, test } from "vitest";
import { argvThere } from "./elsewhere.ts";

const placeOf = (path: string) => `/there/tree${path}`;

describe("a command line for another host", () => {
  test("has no --host, and absolute paths are where they were sent", () => {
    const argv = ["--json", "--host", "ssh://a", "up", "/tmp/lab.yaml", "--host=ssh://b"];
    expect(argvThere(argv, ["/tmp/lab.yaml"], placeOf)).toEqual(["--json", "up", "/there/tree/tmp/lab.yaml"]);
  });

  test("relative paths stay; those of options move, however they are written", () => {
    const argv = ["net", "capture", "my", "-w/tmp/a", "--on", "vif1.0"];
    expect(argvThere(argv, ["/tmp/a", "my"], placeOf)).toEqual([
      "net",
      "capture",
      "my",
      "-w/there/tree/tmp/a",
      "--on",
      "vif1.0",
    ]);
    expect(argvThere(["net", "verify", "x/l.yaml", "--junit=/j"], ["x/l.yaml", "/j"], placeOf)).toEqual([
      "net",
      "verify",
      "x/l.yaml",
      "--junit=/there/tree/j",
    ]);
  });

  test("the words of a program are its own", () => {
    const argv = ["exec", "far", "one", "--", "curl", "--host", "/tmp/lab.yaml"];
    expect(argvThere(argv, ["/tmp/lab.yaml"], placeOf)).toEqual(argv);
  });
});
