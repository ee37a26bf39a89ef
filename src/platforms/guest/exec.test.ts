import { expect, test } from "vitest";
import { createFakeHost } from "../../host/fake.ts";
import { execInGuest } from "./exec.ts";
import { guest, GUEST, type Ports } from "./fixture.ts";
import { programScript } from "./program-script.ts";

const honest = (out: string, err: string, code: number) => (nonce: string, ports: Ports) => {
  ports.out.send(`\n${nonce} begin\n${out}${nonce} end\n`);
  ports.err.send(`\n${nonce} begin\n${err}${nonce} end\n`);
  ports.control.send(`exit ${nonce} ${code}\n`);
};

test("a program is run with its environment, and told to be over", async () => {
  const { host, ports } = guest(honest("hello\n", "oops\n", 7));
  const exit = await execInGuest(host, GUEST, ["echo", "it's"], {
    stdin: "in\n",
    user: "33:33",
    env: { A: "b c" },
  });
  expect(exit).toEqual({ code: 7, signal: null, stdout: "hello\n", stderr: "oops\n", timedOut: false });
  const heard = ports.control.heard.replaceAll(/[0-9a-f]{32}/g, "NONCE");
  const script = programScript(["echo", "it's"], { A: "b c" });
  expect(heard).toBe(`gone\nrun NONCE 33:33 - ${script.length}\n${script}data 3\nin\nend\nover\n`);
  expect(ports.out.heard.replaceAll(/[0-9a-f]{32}/g, "NONCE")).toBe("gone\nhello NONCE\nover\n");
  expect(ports.control.closed).toBe(true);
  expect(host.records.at(-1)).toMatch(/^unlock /);
});

test("a signal is told as one", async () => {
  const { host } = guest(honest("", "", 143));
  expect(await execInGuest(host, GUEST, ["x"], {})).toMatchObject({ code: null, signal: "SIGTERM" });
});

test("of endless output the end is kept", async () => {
  const { host } = guest((nonce, ports) => {
    ports.out.send(`\n${nonce} begin\n`);
    for (let i = 0; i < 40; i++) ports.out.send(Buffer.alloc(2 ** 20, "x"));
    ports.out.send(`the end${nonce} end\n`);
    ports.err.send(`\n${nonce} begin\n${nonce} end\n`);
    ports.control.send(`exit ${nonce} 0\n`);
  });
  const { stdout } = await execInGuest(host, GUEST, ["yes"], {});
  expect(stdout.length).toBe(8 * 2 ** 20);
  expect(stdout.endsWith("the end")).toBe(true);
});

test.each([
  ["malformed", "instead of an exit code", (_: string, { control }: Ports) => control.send("exit 0\n")],
  ["huge", "a line of", (_: string, { control }: Ports) => control.send(Buffer.alloc(2 ** 20, "e"))],
  [
    "huge before it begins",
    "nobody has asked for",
    (_: string, { out }: Ports) => {
      for (let i = 0; i < 8; i++) out.send(Buffer.alloc(2 ** 20, "x"));
    },
  ],
  [
    "cut",
    "cut off what x printed",
    (nonce: string, { out, control }: Ports) => {
      out.send(`\n${nonce} begin\nhalf`);
      control.send(`exit ${nonce} 0\n`);
    },
  ],
  ["missing", "has not answered for 60 s", () => undefined],
])("a reply that is %s is an error that says so", async (_, says, agent) => {
  const { host, ports } = guest(agent);
  await expect(execInGuest(host, GUEST, ["x"], {})).rejects.toThrow(says);
  expect(ports.control.closed).toBe(true);
});

test("a guest that does not kill what it is told to is given up", async () => {
  const { host, ports } = guest((nonce, { out }) => out.send(`\n${nonce} begin\n`));
  const exit = await execInGuest(host, GUEST, ["x"], { timeoutMs: 100 });
  expect(exit).toMatchObject({ code: null, signal: "SIGKILL", timedOut: true });
  expect(ports.out.heard).toContain("kill\n");
});

test("a guest that ends before it is told what to run has run it no further", async () => {
  const { host, ports } = guest(() => undefined);
  for (const port of [ports.out, ports.control]) {
    port.write = () => Promise.reject(Object.assign(new Error("write"), { code: "EPIPE" }));
    port.close();
  }
  expect(await execInGuest(host, GUEST, ["x"], {})).toMatchObject({ code: null, signal: "SIGKILL" });
});

test("a domain that does not run is told with what ended it", async () => {
  const host = createFakeHost({
    connect: () => {
      throw Object.assign(new Error("connect"), { code: "ENOENT" });
    },
  });
  await expect(execInGuest(host, GUEST, ["x"], {})).rejects.toMatchObject({
    message: "x does not run in domain www: the domain does not run",
    hint: "its kernel panicked; cloison up brings it up again",
  });
});

test("one that is ended while it is only being started is ended", async () => {
  const abort = new AbortController();
  const { host, ports } = guest(() => abort.abort());
  await expect(execInGuest(host, GUEST, ["sleep", "1000"], { signal: abort.signal })).rejects.toThrow(/abort/i);
  expect(ports.out.heard).toContain("kill\n");
});
