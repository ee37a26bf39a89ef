import { describe, expect, test } from "vitest";
import { parseHostAddress } from "./host-address.ts";

describe("addresses of hosts", () => {
  test("have a user and a port, or ssh decides", () => {
    expect(parseHostAddress("ssh://lab1")).toEqual({ user: null, name: "lab1", port: null });
    expect(parseHostAddress("ssh://root@lab1.example.org:2222")).toEqual({
      user: "root",
      name: "lab1.example.org",
      port: 2222,
    });
    expect(parseHostAddress("ssh://root@[fd00::1]:22")).toEqual({ user: "root", name: "fd00::1", port: 22 });
  });

  test.each(["lab1", "ssh://", "ssh://-oProxyCommand=x", "ssh://a b", "ssh://$(x)", "ssh://-x@lab1", "http://lab1"])(
    "%s is none",
    (text) => {
      expect(parseHostAddress(text)).toBeNull();
    },
  );
});
