import { dirname } from "node:path";
import type { Host } from "../host/host.ts";
import { ExitCode, LabError } from "../model/error.ts";
import { openAptArchive, prepareApt, type AptArchive } from "./apt-archive.ts";
import { apt, aptError, ArchiveUnreachable, updateLists, type RunOptions } from "./apt-packages.ts";
import { digest } from "./image-key.ts";
import { withApt } from "./resolve-image.ts";

/** Debian's kernel for machines that are virtual: drivers of virtio and Xen, VLANs and netem, and little else. */
const PACKAGE = "linux-image-cloud-amd64";

/** What a guest of QEMU or of Xen may need; what these need in turn comes along. */
const MODULES = [
  "virtio_pci",
  "virtio_blk",
  "virtio_net",
  "virtio_console",
  "virtio-rng",
  "xen-blkfront",
  "xen-netfront",
  "button",
  "evdev",
  "8021q",
  "sch_netem",
  "sch_tbf",
  "nf_tables",
  "nft_ct",
];

/** A guest's kernel and the initramfs that goes with it. */
export interface GuestKernel {
  kernel: string;
  initramfs: string;
  /** Version of Debian's package. */
  version: string;
}

export interface GuestKernelOptions {
  /** Folder of all images; made if missing. */
  store: string;
  /** Folder of the guest's own programs: `init`, `main`, `agent`, `power-button`. */
  guestDirectory: string;
  onProgress: (line: string) => void;
  signal?: AbortSignal | undefined;
}

/** What the archive has now. */
interface KernelPackage {
  name: string;
  version: string;
}

/**
 * The kernel that guests boot, as Debian's archive has it now: from the store, or fetched and made ready. When the archive
 * cannot be reached, the newest of the store is used, and said so.
 * @throws LabError: another architecture, no archive, a kernel without a driver that guests need
 */
export async function ensureGuestKernel(host: Host, options: GuestKernelOptions): Promise<GuestKernel> {
  const { store, guestDirectory, onProgress, signal } = options;
  const request = { store, name: "guest kernel", onProgress, ...(signal === undefined ? {} : { signal }) };
  const programs = await Promise.all(
    ["init", "main", "agent", "power-button"].map((name) => host.files.readText(`${guestDirectory}/${name}`)),
  );
  const inside = digest([MODULES, (await host.files.stamp(BUSYBOX)) ?? "", ...programs]);
  try {
    return await withApt(host, request, async (run) => {
      const archive = await openedArchive(host, options, run);
      const found = await findPackage(host, archive, run);
      const directory = `${store}/.kernels/${digest([found.name, found.version, inside])}`;
      if (await host.files.exists(directory)) return kernelIn(directory, found.version);
      onProgress(`guest kernel: fetching ${found.name} ${found.version}`);
      // One at a time, under apt's lock: what is there was left by a crash.
      const work = `${store}/.kernels/.new`;
      await host.files.remove(work);
      await host.files.makeDirectory(work);
      try {
        const fetched = await host.processes.run({
          ...apt(archive, ["apt-get", "download", "-q", `${found.name}=${found.version}`], run),
          cwd: work,
        });
        if (fetched.code !== 0) throw aptError("the guests' kernel could not be fetched", fetched);
        await makeReady(host, work, guestDirectory, run);
        await host.files.writeText(`${work}/made/version`, found.version);
        await host.files.writeText(`${work}/made/${INSIDE}`, inside);
        await host.processes.must({ argv: ["sync", "--file-system", `${work}/made`] });
        await host.files.rename(`${work}/made`, directory);
      } finally {
        await host.files.remove(work);
      }
      return kernelIn(directory, found.version);
    });
  } catch (error) {
    if (!(error instanceof ArchiveUnreachable)) throw error;
    const found = await newestKernel(host, store, inside);
    if (found === null) throw error;
    const doubt = found.isSameInside ? "" : ", with programs of another version of Cloison or busybox inside";
    onProgress(`guest kernel: Debian's archive cannot be reached; ${found.version} of the store is used${doubt}`);
    return kernelIn(dirname(found.kernel), found.version);
  }
}

/** File that says what an initramfs was made of beside the kernel's package. */
const INSIDE = "inside";

const BUSYBOX = "/bin/busybox";

/**
 * Makes what guests boot of the kernel's package in a folder, in `made` there.
 * @throws LabError when it lacks a driver
 */
export async function makeReady(
  host: Host,
  work: string,
  guestDirectory: string,
  { cgroup, signal }: RunOptions = {},
): Promise<void> {
  const { code, stderr } = await host.processes.run({
    argv: ["sh", "-euc", MAKE, "make", guestDirectory, ...MODULES],
    cwd: work,
    ...(cgroup === undefined ? {} : { cgroup }),
    ...(signal === undefined ? {} : { signal }),
  });
  if (code === 0) return;
  throw new LabError(`the guests' kernel cannot be used: ${stderr.trim()}`, {
    hint: `it is ${PACKAGE} of the archive that /etc/apt names; Debian's has what guests need`,
  });
}

/**
 * Unpacks the package and makes the initramfs: busybox, the guest's programs, and just the modules.
 * $1: the guest's programs; the others: modules.
 */
const MAKE = String.raw`
guest=$1
shift
dpkg-deb -x ./*.deb package
release=$(ls package/lib/modules)
modules=package/lib/modules/$release
mkdir -p made root/bin "root/lib/modules/$release"
cp package/boot/vmlinuz-* made/kernel
find package -name '*.ko.xz' -exec unxz {} +
busybox depmod -b "$PWD/package" "$release"
take() {
  # A path with suffix, relative to the release's folder.
  [ -e "root/lib/modules/$release/$1" ] && return 0
  mkdir -p "root/lib/modules/$release/$(dirname "$1")"
  cp "$modules/$1" "root/lib/modules/$release/$1"
  for other in $(sed -n "s|^$1:||p" "$modules/modules.dep"); do take "$other"; done
}
for module; do
  path=$(sed -n "s|^\(\([^:]*/\)\{0,1\}$module\.ko\):.*|\1|p" "$modules/modules.dep")
  if [ -n "$path" ]; then take "$path"
  elif ! grep -q "/$module\.ko$" "$modules/modules.builtin"; then echo "it has no driver $module" >&2; exit 1
  fi
done
cp "$modules/modules.builtin" "$modules/modules.order" "root/lib/modules/$release/"
busybox depmod -b "$PWD/root" "$release"
cp /bin/busybox root/bin/
cp "$guest/init" "$guest/main" "$guest/agent" root/
mkdir -p root/acpi/PWRF
cp "$guest/power-button" root/acpi/PWRF/00000080
chmod 755 root/init root/acpi/PWRF/00000080
(cd root && find . | LC_ALL=C sort | busybox cpio -o -H newc >../made/initramfs 2>/dev/null)
`;

function kernelIn(directory: string, version: string): GuestKernel {
  return { kernel: `${directory}/kernel`, initramfs: `${directory}/initramfs`, version };
}

async function openedArchive(
  host: Host,
  { store, onProgress }: GuestKernelOptions,
  run: RunOptions,
): Promise<AptArchive> {
  const archive = await openAptArchive(host, store);
  if (archive.architecture !== "amd64") {
    throw new LabError(`virtual machines run on amd64, and this machine is ${archive.architecture}`, {
      hint: "use platform: container",
      exit: ExitCode.unavailable,
    });
  }
  if (archive.stamp !== "") {
    await prepareApt(host, archive);
    return archive;
  }
  onProgress("guest kernel: fetching Debian's package lists");
  return await updateLists(host, archive, store, undefined, run);
}

/** The package that Debian's name for the newest stands for. Remembered for as long as apt's lists are the same. */
async function findPackage(host: Host, archive: AptArchive, run: RunOptions): Promise<KernelPackage> {
  const memo = `${archive.directory}/resolved/guest-kernel.json`;
  const stamp = digest([archive.stamp, archive.lists, archive.sources, PACKAGE]);
  const remembered = await host.files.readTextIfExists(memo);
  // Written by replaceText: whole, or not there.
  const known = remembered === null ? null : (JSON.parse(remembered) as { stamp: string; found: KernelPackage });
  if (known?.stamp === stamp) return known.found;
  const shown = await host.processes.run(apt(archive, ["apt-cache", "show", "--no-all-versions", PACKAGE], run));
  const found = parseKernelPackage(shown.stdout);
  if (found === null) throw aptError(`Debian's archive has no ${PACKAGE}`, shown);
  await host.files.replaceText(memo, JSON.stringify({ stamp, found }));
  return found;
}

/** Reads `apt-cache show` of the package that depends on the newest kernel. null: it names none. */
export function parseKernelPackage(shown: string): KernelPackage | null {
  const [, name, version] = /^Depends: (linux-image-[\w.+-]+) \(= ([^)]+)\)/m.exec(shown) ?? [];
  return name === undefined || version === undefined ? null : { name, version };
}

/**
 * Of those in the store: the one made last with the same inside it, else the one made last. null: there is none.
 * @param inside as `digest` says of drivers and programs
 */
export async function newestKernel(
  host: Host,
  store: string,
  inside: string,
): Promise<(GuestKernel & { isSameInside: boolean }) | null> {
  const kernels = `${store}/.kernels`;
  if ((await host.files.list(kernels)).length === 0) return null;
  const keys = (await host.processes.must({ argv: ["ls", "-1t", kernels] })).split("\n").filter((key) => key !== "");
  const all = await Promise.all(
    keys.map(async (key) => ({
      directory: `${kernels}/${key}`,
      version: await host.files.readTextIfExists(`${kernels}/${key}/version`),
      isSameInside: (await host.files.readTextIfExists(`${kernels}/${key}/${INSIDE}`)) === inside,
    })),
  );
  const whole = all.flatMap(({ directory, version, isSameInside }) =>
    version === null ? [] : [{ ...kernelIn(directory, version), isSameInside }],
  );
  return whole.find(({ isSameInside }) => isSameInside) ?? whole[0] ?? null;
}
