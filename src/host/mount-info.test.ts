import { describe, expect, test } from "vitest";
import { isWithin, parseMountInfo } from "./mount-info.ts";

describe("parseMountInfo", () => {
  test("reads lines with any number of optional fields", () => {
    const text = [
      "22 27 0:21 / /proc rw,relatime - proc proc rw",
      "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 shared:7 - ext3 /dev/root rw,errors=continue",
      "33 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct",
      "",
    ].join("\n");
    expect(parseMountInfo(text)).toEqual([
      { root: "/", target: "/proc", type: "proc", source: "proc", superOptions: ["rw"] },
      { root: "/mnt1", target: "/mnt2", type: "ext3", source: "/dev/root", superOptions: ["rw", "errors=continue"] },
      {
        root: "/",
        target: "/sys/fs/cgroup/cpu,cpuacct",
        type: "cgroup",
        source: "cgroup",
        superOptions: ["rw", "cpu", "cpuacct"],
      },
    ]);
  });

  test("undoes the kernel's escapes", () => {
    const [entry] = parseMountInfo(String.raw`1 2 0:3 / /a\040b\134c\011d rw - tmpfs some\040source rw`);
    expect(entry).toMatchObject({ target: "/a b\\c\td", source: "some source" });
  });
});

test("isWithin goes by whole names", () => {
  expect(isWithin("/a/b", "/a")).toBe(true);
  expect(isWithin("/a", "/a")).toBe(true);
  expect(isWithin("/ab", "/a")).toBe(false);
  expect(isWithin("/a", "/")).toBe(true);
});
