import { describe, expect, test } from "vitest";
import { createControlGroups, findHierarchies, findOtherHierarchies } from "./control-groups.ts";
import { MemoryCgroupTree } from "./memory-cgroup-tree.ts";

const V1_MOUNTS = `
31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
34 31 0:31 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset
37 31 0:34 / /sys/fs/cgroup/freezer rw - cgroup cgroup rw,freezer
40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd
41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
50 31 0:31 / /srv/chroot/sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset
`;
const V2_MOUNTS = "31 23 0:28 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n";

const V1_ROOTS = ["/sys/fs/cgroup/cpu,cpuacct", "/sys/fs/cgroup/cpuset", "/sys/fs/cgroup/freezer"];

function v1Tree(): MemoryCgroupTree {
  return new MemoryCgroupTree(V1_ROOTS, (path): Record<string, string> => {
    if (path.includes("/cpuset")) {
      const isRoot = path.endsWith("/cpuset");
      return { "cpuset.cpus": isRoot ? "0-3\n" : "\n", "cpuset.mems": isRoot ? "0\n" : "\n" };
    }
    return path.includes("/freezer") ? { "freezer.state": "THAWED" } : { "cpu.shares": "1024\n" };
  });
}

/** As the kernel does, a group has the files of the controllers that its parent hands down. */
function v2Tree(version: "5.14" | "5.10"): MemoryCgroupTree {
  return new MemoryCgroupTree(["/sys/fs/cgroup"], (path, read) => {
    const isRoot = path === "/sys/fs/cgroup";
    const parent = path.slice(0, path.lastIndexOf("/"));
    const handedDown = (read(`${parent}/cgroup.subtree_control`) ?? "").replaceAll("+", "");
    const controllers = isRoot ? "cpuset cpu io memory hugetlb pids rdma" : handedDown;
    return {
      "cgroup.controllers": controllers,
      "cgroup.subtree_control": "",
      ...(isRoot ? {} : { "cgroup.freeze": "0", "cgroup.events": "populated 1\nfrozen 1\n" }),
      ...(isRoot || version === "5.10" ? {} : { "cgroup.kill": "" }),
      ...(controllers.includes("memory") && !isRoot ? { "memory.max": "max\n" } : {}),
    };
  });
}

function groupsOn(tree: MemoryCgroupTree, mountInfo: string) {
  let nowMs = 0;
  const clock = { monotonicMs: () => nowMs, sleep: async (ms: number) => void (nowMs += ms) };
  return createControlGroups({ tree, mountInfo, clock, ownPid: 4242 });
}

describe("findOtherHierarchies", () => {
  test("names those in which a container runtime makes groups that limit nothing", () => {
    expect(findOtherHierarchies(V1_MOUNTS)).toEqual(
      expect.arrayContaining(["/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified"]),
    );
    expect(findOtherHierarchies(V2_MOUNTS)).toEqual([]);
  });
});

describe("findHierarchies", () => {
  test("a machine with both versions counts as version 1; systemd's hierarchy and a chroot's view are left alone", () => {
    expect(findHierarchies(V1_MOUNTS)).toEqual({
      version: 1,
      hierarchies: [
        { directory: "/sys/fs/cgroup/cpu,cpuacct", controllers: ["cpu", "cpuacct"] },
        { directory: "/sys/fs/cgroup/cpuset", controllers: ["cpuset"] },
        { directory: "/sys/fs/cgroup/freezer", controllers: ["freezer"] },
      ],
    });
  });

  test("version 2 is one directory", () => {
    expect(groupsOn(v2Tree("5.14"), V2_MOUNTS)).toMatchObject({ version: 2 });
    expect(groupsOn(v2Tree("5.14"), V2_MOUNTS).directories("cloison/a")).toEqual(["/sys/fs/cgroup/cloison/a"]);
  });

  test("a machine without any says so when one is asked for", () => {
    expect(() => groupsOn(v2Tree("5.14"), "").directories("cloison")).toThrow("no control groups are mounted");
  });
});

describe("version 1", () => {
  test("a group is made in every hierarchy, its cpuset filled from above", async () => {
    const tree = v1Tree();
    const groups = groupsOn(tree, V1_MOUNTS);
    await groups.ensure("cloison/a");
    expect(tree.records).toEqual([
      "mkdir /sys/fs/cgroup/cpu,cpuacct/cloison",
      "mkdir /sys/fs/cgroup/cpu,cpuacct/cloison/a",
      "mkdir /sys/fs/cgroup/cpuset/cloison",
      "/sys/fs/cgroup/cpuset/cloison/cpuset.cpus = 0-3",
      "/sys/fs/cgroup/cpuset/cloison/cpuset.mems = 0",
      "mkdir /sys/fs/cgroup/cpuset/cloison/a",
      "/sys/fs/cgroup/cpuset/cloison/a/cpuset.cpus = 0-3",
      "/sys/fs/cgroup/cpuset/cloison/a/cpuset.mems = 0",
      "mkdir /sys/fs/cgroup/freezer/cloison",
      "mkdir /sys/fs/cgroup/freezer/cloison/a",
    ]);
    tree.records.length = 0;
    await groups.ensure("cloison/a");
    expect(tree.records).toEqual([]);
  });

  test("a setting goes to its controller's hierarchy; what is missing is null, or an error to set", async () => {
    const groups = groupsOn(v1Tree(), V1_MOUNTS);
    await groups.write("cloison/a", "cpu", "cpu.shares", "512");
    expect(await groups.read("cloison/a", "cpu", "cpu.shares")).toBe("512");
    expect(await groups.read("cloison/a", "cpu", "cpu.nothing")).toBeNull();
    expect(await groups.read("cloison/a", "memory", "memory.limit_in_bytes")).toBeNull();
    expect(await groups.read("cloison/none", "cpu", "cpu.shares")).toBeNull();
    await expect(groups.write("cloison/a", "memory", "memory.limit_in_bytes", "1")).rejects.toThrow(
      "has no memory control group",
    );
    await expect(groups.write("cloison/a", "cpu", "cpu.nothing", "1")).rejects.toThrow("no cpu (cpu.nothing)");
  });

  test("the end of a group: frozen, killed, thawed, removed from below; the neighbour stays", async () => {
    const tree = v1Tree();
    const groups = groupsOn(tree, V1_MOUNTS);
    await groups.ensure("cloison/a/inner");
    await groups.ensure("cloison/b");
    tree.join("/sys/fs/cgroup/freezer/cloison/a", 7, 0);
    tree.join("/sys/fs/cgroup/freezer/cloison/a/inner", 8);
    tree.join("/sys/fs/cgroup/cpuset/cloison/a", 7);
    tree.join("/sys/fs/cgroup/cpuset/cloison/b", 9);
    expect(await groups.pids("cloison/a")).toEqual([7, 8]);
    expect(await groups.children("cloison")).toEqual(["a", "b"]);

    // Process 0 belongs to another pid namespace: whoever put it there takes it out.
    tree.records.length = 0;
    await expect(groups.destroy("cloison/a", 100)).rejects.toThrow("cloison/a did not end within 100 ms");
    expect(tree.records.slice(0, 5)).toEqual([
      "/sys/fs/cgroup/freezer/cloison/a/freezer.state = FROZEN",
      "kill 7",
      "kill 8",
      "/sys/fs/cgroup/freezer/cloison/a/freezer.state = THAWED",
      "/sys/fs/cgroup/freezer/cloison/a/inner/freezer.state = THAWED",
    ]);
    expect(await groups.pids("cloison/b")).toEqual([9]);
  });

  test("a group takes along the parents that it leaves empty, and only those", async () => {
    const tree = v1Tree();
    const groups = groupsOn(tree, V1_MOUNTS);
    await groups.ensure("cloison/_images/one");
    await groups.ensure("cloison/_images/two");
    await groups.ensure("cloison/lab");
    await groups.destroy("cloison/_images/one", 100);
    expect(await groups.children("cloison/_images")).toEqual(["two"]);
    await groups.destroy("cloison/_images/two", 100);
    expect(await groups.children("cloison")).toEqual(["lab"]);
  });

  test("the last group takes the parent of all along, and nothing of it is left", async () => {
    const tree = v1Tree();
    const groups = groupsOn(tree, V1_MOUNTS);
    await groups.ensure("cloison/a/inner");
    await groups.ensure("cloison/b");
    tree.join("/sys/fs/cgroup/cpuset/cloison/a/inner", 7);
    await groups.destroy("cloison/a", 100);
    expect(await groups.children("cloison")).toEqual(["b"]);
    await groups.destroy("cloison/b", 100);
    await groups.destroy("cloison/b", 100);
    for (const root of V1_ROOTS) expect(tree.groups(root)).toEqual([]);
  });
});

describe("version 2", () => {
  test("controllers are handed down from the root, only those that exist", async () => {
    const tree = v2Tree("5.14");
    const groups = groupsOn(tree, V2_MOUNTS);
    await groups.write("cloison/a", "memory", "memory.max", "1000000");
    expect(tree.records).toEqual([
      "/sys/fs/cgroup/cgroup.subtree_control = +cpu +cpuset +memory +pids +io",
      "mkdir /sys/fs/cgroup/cloison",
      "/sys/fs/cgroup/cloison/cgroup.subtree_control = +cpu +cpuset +memory +pids +io",
      "mkdir /sys/fs/cgroup/cloison/a",
      "/sys/fs/cgroup/cloison/a/memory.max = 1000000",
    ]);
  });

  test("a root that processes live in cannot hand down, which is explained", async () => {
    const tree = v2Tree("5.14");
    tree.write = (path) => {
      throw Object.assign(new Error(path), { code: "EBUSY" });
    };
    await expect(groupsOn(tree, V2_MOUNTS).ensure("cloison/a")).rejects.toThrow("processes live directly in it");
  });

  test("the end of a group: cgroup.kill where there is one", async () => {
    const tree = v2Tree("5.14");
    const groups = groupsOn(tree, V2_MOUNTS);
    await groups.ensure("cloison/a/inner");
    tree.join("/sys/fs/cgroup/cloison/a/inner", 7);
    tree.records.length = 0;
    await groups.destroy("cloison/a", 100);
    expect(tree.records).toEqual([
      "/sys/fs/cgroup/cloison/a/cgroup.kill = 1",
      "rmdir /sys/fs/cgroup/cloison/a/inner",
      "rmdir /sys/fs/cgroup/cloison/a",
      "rmdir /sys/fs/cgroup/cloison",
    ]);
  });

  test("the end of a group on an older kernel: frozen, killed, thawed", async () => {
    const tree = v2Tree("5.10");
    const groups = groupsOn(tree, V2_MOUNTS);
    await groups.ensure("cloison/a");
    tree.join("/sys/fs/cgroup/cloison/a", 7);
    tree.records.length = 0;
    await groups.destroy("cloison/a", 100);
    expect(tree.records).toEqual([
      "/sys/fs/cgroup/cloison/a/cgroup.freeze = 1",
      "kill 7",
      "/sys/fs/cgroup/cloison/a/cgroup.freeze = 0",
      "rmdir /sys/fs/cgroup/cloison/a",
      "rmdir /sys/fs/cgroup/cloison",
    ]);
  });
});

describe("safety", () => {
  test.each([
    "",
    "/",
    "user.slice",
    "cloisonx",
    "cloison/",
    "cloison/../x",
    "cloison/.",
    "cloison//a",
    "/cloison",
    "cloison/a b",
  ])("refuses to touch %j", async (group) => {
    const tree = v1Tree();
    const groups = groupsOn(tree, V1_MOUNTS);
    expect(() => groups.directories(group)).toThrow("is not a control group of Cloison");
    for (const act of [
      () => groups.ensure(group),
      () => groups.destroy(group, 1),
      () => groups.pids(group),
      () => groups.write(group, "cpu", "cpu.shares", "1"),
      () => groups.read(group, "cpu", "cpu.shares"),
    ]) {
      await expect(act()).rejects.toThrow("is not a control group of Cloison");
    }
    expect(tree.records).toEqual([]);
  });

  test("does not kill itself", async () => {
    const tree = v1Tree();
    const groups = groupsOn(tree, V1_MOUNTS);
    await groups.ensure("cloison/a");
    tree.join("/sys/fs/cgroup/cpuset/cloison/a", 4242, 7);
    await expect(groups.destroy("cloison/a", 100)).rejects.toThrow("this command runs inside");
    expect(await groups.pids("cloison/a")).toEqual([7, 4242]);
  });
});
