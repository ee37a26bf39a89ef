import { type Command, InvalidArgumentError, Option } from "commander";
import type { ExportFormat } from "../app/image/export.ts";
import type { Made } from "../app/image/make.ts";
import type { Removed } from "../app/image/remove.ts";
import { describeImage, imageTable, sizeText } from "./image-text.ts";
import { loadApp } from "./load-app.ts";
import { answer, optionsOf } from "./output.ts";
import type { CliContext } from "./program.ts";

/** image create, build, list, show, export, appliance, import, remove, prune. */
export function addImageCommands(program: Command, cli: CliContext): void {
  const image = program
    .command("image")
    .description("root file systems with a name, which labs use by it")
    .addHelpText(
      "after",
      `
Examples:
  cloison image create blog examples/images/blog/image.yaml   describe and build one; a lab then says image: blog
  cloison image list                                 what there is, and which labs use it
  cloison image build blog                           again, with the packages of now
  cloison image export blog blog.qcow2               as a disk; .raw, .squashfs, .tar.zst too
  cloison image import alpine alpine.oci.tar         one that was made elsewhere
  cloison image appliance class.qcow2                a disk that boots Xen, with Cloison and the study's images
  cloison image prune --dry-run                      what nobody uses, and what it takes

docs/images.md has the keys of image.yaml; cloison schema image is its JSON Schema.`,
    );

  image
    .command("create <name> [file]")
    .description("describe an image by its file and your defaults, and build it")
    .option("--replace", "where there is one of that name; labs that are up keep the old one")
    .option("--no-build", "only describe it; the first lab that uses it builds it")
    .addHelpText(
      "after",
      `
Without FILE an image is what your defaults say, or a small Debian.
Defaults: $XDG_CONFIG_HOME/cloison/image.yaml, else ~/.config/cloison/image.yaml.

Examples:
  cloison image create plain
  cloison image create --replace blog examples/images/blog/image.yaml`,
    )
    .action(async (name: string, file: string | undefined, _options, command: Command) => {
      const { replace, build } = optionsOf<{ replace?: boolean; build: boolean }>(command);
      const { app, status } = await loadApp(cli, command);
      const { createImage } = await import("../app/image/make.ts");
      const onProgress = (line: string) => status.update(line);
      const options = { replace: replace === true, build, signal: cli.signal, onProgress };
      const made = await createImage(app, name, file ?? null, options).finally(status.end);
      answer(command, madeJson(made), () => madeText(made, "created"));
    });

  image
    .command("build <name>")
    .description("build an image again, with the packages of now; labs that come up use the new one")
    .addHelpText("after", "\nExample:\n  cloison image build blog")
    .action(async (name: string, _options, command: Command) => {
      const { app, status } = await loadApp(cli, command);
      const { buildImage } = await import("../app/image/make.ts");
      const onProgress = (line: string) => status.update(line);
      const made = await buildImage(app, name, { signal: cli.signal, onProgress }).finally(status.end);
      answer(command, madeJson(made), () => madeText(made, "built"));
    });

  image
    .command("list")
    .alias("ls")
    .description("the images of this machine, and the labs that use them")
    .addHelpText("after", "\nExample:\n  cloison image list")
    .action(async (_options, command: Command) => {
      const { app } = await loadApp(cli, command);
      const { listAllImages } = await import("../app/image/list.ts");
      const rows = await listAllImages(app);
      answer(command, rows, () => imageTable(rows));
    });

  image
    .command("show <name>")
    .description("all about an image: what it is made of, whether it is sound, who uses it")
    .addHelpText(
      "after",
      "\nExamples:\n  cloison image show blog\n  cloison image show blog --json | jq .manifest.packages",
    )
    .action(async (name: string, _options, command: Command) => {
      const { app } = await loadApp(cli, command);
      const { showImage } = await import("../app/image/list.ts");
      const shown = await showImage(app, name);
      answer(command, shown, () => describeImage(shown));
      if (shown.state.startsWith("damaged")) cli.setExitCode(1);
    });

  image
    .command("export <name> <file>")
    .description("write an image as one file: an archive, a squashfs, or a disk")
    .addOption(
      new Option("--format <format>", "default: what FILE ends in").choices(["tar", "squashfs", "qcow2", "raw"]),
    )
    .option("--size <size>", "of a disk; default: the image's, else what its content needs", sizeOption)
    .option("--force", "replace FILE")
    .addHelpText(
      "after",
      `
Examples:
  cloison image export blog blog.tar.zst
  cloison image export blog blog.qcow2 --size 2G`,
    )
    .action(async (name: string, file: string, _options, command: Command) => {
      const { format, size, force } = optionsOf<{ format?: ExportFormat; size?: number; force?: boolean }>(command);
      const { app, status } = await loadApp(cli, command);
      const { exportNamed } = await import("../app/image/export.ts");
      const exported = await exportNamed(app, name, file, {
        force: force === true,
        signal: cli.signal,
        onProgress: (line) => status.update(line),
        ...(format === undefined ? {} : { format }),
        ...(size === undefined ? {} : { sizeBytes: size }),
      }).finally(status.end);
      answer(command, exported, () => `${exported.file}: ${exported.format}, ${sizeText(exported.bytes)}`);
    });

  image
    .command("appliance <file>")
    .description("write a disk that boots Xen, with Cloison and the images of the study: a machine for a class")
    .option("--ssh-key <keys>", "a file of public keys that may log in as root; default: nobody may")
    .option("--size <size>", "of its file system; default: the content, and 4 GiB", sizeOption)
    .option("--force", "replace FILE")
    .addHelpText(
      "after",
      `
FILE ends in .qcow2 or .raw. The machine needs a BIOS, 3 GiB of memory, and no network. Who is at its console is root.

Examples:
  cloison image appliance class.qcow2
  cloison image appliance class.raw --ssh-key ~/.ssh/id_ed25519.pub`,
    )
    .action(async (file: string, _options, command: Command) => {
      const { sshKey, size, force } = optionsOf<{ sshKey?: string; size?: number; force?: boolean }>(command);
      const { app, status } = await loadApp(cli, command);
      const { makeAppliance } = await import("../app/image/appliance.ts");
      const made = await makeAppliance(app, file, {
        sizeBytes: size ?? null,
        sshKeys: sshKey ?? null,
        force: force === true,
        signal: cli.signal,
        onProgress: (line) => status.update(line),
      }).finally(status.end);
      answer(command, made, () => `${made.file}: ${made.format}, ${sizeText(made.bytes)}`);
    });

  image
    .command("import <name> <source>")
    .description("take in an OCI image (folder or archive), an archive of a root file system, or a qcow2 disk")
    .option("--replace", "where there is one of that name; labs that are up keep the old one")
    .addHelpText(
      "after",
      `
Examples:
  skopeo copy docker://docker.io/library/alpine oci:alpine && cloison image import alpine alpine
  cloison image import old root.tar.gz
  cloison image import vm disk.qcow2`,
    )
    .action(async (name: string, source: string, _options, command: Command) => {
      const { replace } = optionsOf<{ replace?: boolean }>(command);
      const { app, status } = await loadApp(cli, command);
      const { importNamed } = await import("../app/image/import.ts");
      const onProgress = (line: string) => status.update(line);
      const options = { replace: replace === true, signal: cli.signal, onProgress };
      const made = await importNamed(app, name, source, options).finally(status.end);
      answer(command, madeJson(made), () => madeText(made, "imported"));
    });

  image
    .command("remove <name>")
    .alias("rm")
    .description("remove an image; one that a lab that is up or a snapshot uses is refused")
    .addHelpText("after", "\nExample:\n  cloison image remove blog")
    .action(async (name: string, _options, command: Command) => {
      const { app } = await loadApp(cli, command);
      const { removeImage } = await import("../app/image/remove.ts");
      const removed = await removeImage(app, name);
      answer(
        command,
        removed,
        () => `image ${name} is removed${removed.bytes === 0 ? "" : `: ${sizeText(removed.bytes)} freed`}`,
      );
    });

  image
    .command("prune")
    .description("remove what no image with a name, no lab that is up and no snapshot uses")
    .option("--dry-run", "only say what it would remove")
    .option("--packages", "the packages that were fetched for builds, too")
    .addHelpText("after", "\nExamples:\n  cloison image prune --dry-run\n  cloison image prune --packages")
    .action(async (_options, command: Command) => {
      const { dryRun, packages } = optionsOf<{ dryRun?: boolean; packages?: boolean }>(command);
      const { app } = await loadApp(cli, command);
      const { pruneImages } = await import("../app/image/remove.ts");
      const removed = await pruneImages(app, { dryRun: dryRun === true, packages: packages === true });
      answer(command, removed, () => prunedText(removed));
    });
}

function madeJson({ image, built, isUnchanged }: Made) {
  return { ...image, isUnchanged, directory: built?.directory ?? null, manifest: built?.manifest ?? null };
}

function madeText({ image: { name }, built, isUnchanged }: Made, verb: string): string {
  if (built === null) return `image ${name} is described; cloison image build ${name} builds it`;
  const what = isUnchanged ? "is as it was" : `is ${verb}`;
  return `image ${name} ${what}: ${sizeText(built.manifest.bytes)}, key ${built.key.slice(0, 12)}`;
}

function prunedText({ removed, bytes, dryRun }: Removed): string {
  if (removed.length === 0) return "nothing is unused";
  const lines = removed.map((row) => `${row.key.slice(0, 12).padEnd(12)}  ${row.name}  ${sizeText(row.bytes)}`);
  return [...lines, `${sizeText(bytes)} (${bytes} bytes) ${dryRun ? "would be freed" : "freed"}`].join("\n");
}

/** Parses an option that is a size, as lab files write it; in bytes. */
function sizeOption(text: string): number {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)([MGT])$/.exec(text) ?? [];
  const bytes = Math.round(Number(amount) * ({ M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 }[unit ?? ""] ?? Number.NaN));
  if (!(bytes >= 2 ** 20)) throw new InvalidArgumentError("must be a size of 1M or more, such as 2G");
  return bytes;
}
