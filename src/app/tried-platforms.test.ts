import { expect, test } from "vitest";
import { createFakeHost } from "../host/fake.ts";
import { forgetTrial, rememberTrial, wasTried } from "./tried-platforms.ts";

const INSTALLED = "/var/lib/dpkg/status";

function machine() {
  const host = createFakeHost({ files: { [INSTALLED]: "Package: runc\n" } });
  return { host, version: "1.0.0", paths: { state: "/state", run: "/run/cloison" } };
}

test("a platform that worked is remembered, and no other", async () => {
  const app = machine();
  expect(await wasTried(app, "container")).toBe(false);
  await rememberTrial(app, "container");
  expect(await wasTried(app, "container")).toBe(true);
  expect(await wasTried(app, "shared")).toBe(false);
});

test("it is tried again after a reboot, with another Cloison, and when a package came or went", async () => {
  const app = machine();
  await rememberTrial(app, "container");
  const later = { ...app.host.machine, bootId: "another" };
  expect(await wasTried({ ...app, host: { ...app.host, machine: later } }, "container")).toBe(false);
  expect(await wasTried({ ...app, version: "1.0.1" }, "container")).toBe(false);
  app.host.files.texts.set(INSTALLED, "");
  expect(await wasTried(app, "container")).toBe(false);
});

test("it is tried again when it was told to be forgotten", async () => {
  const app = machine();
  await rememberTrial(app, "container");
  await forgetTrial(app, "container");
  expect(await wasTried(app, "container")).toBe(false);
});
