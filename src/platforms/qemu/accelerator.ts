import type { Host } from "../../host/host.ts";
import { ExitCode, LabError } from "../../model/error.ts";
import type { Accel } from "../../model/lab.ts";
import type { Accelerator } from "./qemu-arguments.ts";

/** The smallest guest does its work in some 50 ms. */
const DEADLINE_MS = 5000;

/**
 * A whole BIOS: where the processor begins (64 KiB below 4 GiB, less 16 bytes) it says 0x10 to the debug port and halts.
 * mov al, 0x10; out 0xf4, al; cli; hlt
 */
const BIOS_SCRIPT = String.raw`head -c 65520 /dev/zero >"$1" && printf '\260\020\346\364\372\364\0\0\0\0\0\0\0\0\0\0' >>"$1"`;
/** isa-debug-exit ends QEMU with twice the value, and one. */
const SAID = 0x10 * 2 + 1;

export type Trial = { works: true } | { works: false; reason: string };

/** Runs the smallest guest on an accelerator, as guests are run; without QEMU none works. A /dev/kvm that opens, and makes a guest, proves nothing. */
export async function tryAccelerator(host: Host, accelerator: Accelerator): Promise<Trial> {
  const file = `/run/cloison/_check-bios-${host.clock.nowMs().toString(36)}-${accelerator}`;
  try {
    await host.files.writeText(file, "");
    await host.processes.must({ argv: ["sh", "-c", BIOS_SCRIPT, "bios", file] });
    const cpu = accelerator === "kvm" ? "host" : "max";
    const { code, stderr, timedOut } = await host.processes.run({
      argv: [
        "qemu-system-x86_64",
        "-nodefaults",
        "-no-user-config",
        "-display",
        "none",
        "-machine",
        "q35",
        "-accel",
        accelerator,
        "-cpu",
        cpu,
        "-m",
        "16",
        "-bios",
        file,
        "-device",
        "isa-debug-exit,iobase=0xf4,iosize=4",
      ],
      timeoutMs: DEADLINE_MS,
    });
    if (code === SAID) return { works: true };
    if (timedOut) return { works: false, reason: `the smallest guest did nothing for ${DEADLINE_MS / 1000} s` };
    const complaint =
      stderr
        .trim()
        .split("\n")
        .find((line) => line !== "" && !line.includes("warning:")) ?? `QEMU ended with ${code}`;
    return { works: false, reason: complaint.replace(/^qemu-system-x86_64: /, "") };
  } catch (error) {
    if (!(error instanceof LabError)) throw error;
    return { works: false, reason: error.message };
  } finally {
    await host.files.remove(file);
  }
}

/**
 * The accelerator that a domain runs on.
 * @throws LabError when the one that it asks for does not work
 */
export async function chooseAccelerator(host: Host, accel: Accel): Promise<Accelerator> {
  if (accel === "tcg") return "tcg";
  const trial = await tryAccelerator(host, "kvm");
  if (trial.works) return "kvm";
  if (accel === "auto") return "tcg";
  throw new LabError(`accel: kvm: no guest runs by KVM here: ${trial.reason}`, {
    hint: "write accel: auto, or tcg, which emulates the processor, and is slow",
    exit: ExitCode.unavailable,
  });
}
