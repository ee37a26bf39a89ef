import { createContainerPlatform } from "../../src/platforms/container/container-platform.ts";
import { createNamespacePlatform } from "../../src/platforms/namespace/namespace-platform.ts";
import { createSharedPlatform } from "../../src/platforms/shared/shared-platform.ts";
import { describePlatform } from "../contract/platform-contract.ts";
import { needs } from "../needs.ts";
import { makeSmallRootfs } from "./small-rootfs.ts";

needs(
  "root",
  "runc",
  "overlay",
  "busybox",
  "tini",
)("containers", () => {
  describePlatform("container", { create: createContainerPlatform, makeRootfs: makeSmallRootfs });
  describePlatform("shared", { create: createSharedPlatform, makeRootfs: makeSmallRootfs });
});

needs("root", "netns")("namespaces", () => {
  describePlatform("namespace", { create: createNamespacePlatform, makeRootfs: null });
});
