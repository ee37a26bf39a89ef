import type { ImageFacts } from "../experiment/environment.ts";
import { refuseForeignLab, type RunLab } from "../experiment/run-lab.ts";
import type { Lock } from "../host/host.ts";
import type { BuiltImage } from "../images/build.ts";
import { lockLab, unlockLab } from "../lab/lab-lock.ts";
import { tearDown } from "../lab/teardown.ts";
import { LabError } from "../model/error.ts";
import type { Lab, PlatformName } from "../model/lab.ts";
import type { LabPlan } from "../model/plan.ts";
import type { AppContext } from "./context.ts";
import { buildImages, planFor, rootsOf } from "./prepare.ts";
import { requirePlatform } from "./require-platform.ts";

interface HeldLab {
  plan: LabPlan;
  lock: Lock;
  images: Record<string, BuiltImage>;
}

/** The labs of a run, one for each platform so that they can stand side by side: their locks are held until `close`. */
export class RunLabs {
  readonly #app: AppContext;
  readonly #held: HeldLab[] = [];

  private constructor(app: AppContext) {
    this.#app = app;
  }

  /** @throws LabError (busy) when one of them is another command's, or not a run's */
  static async lock(app: AppContext, lab: Lab, platforms: PlatformName[]): Promise<RunLabs> {
    const labs = new RunLabs(app);
    try {
      for (const platform of platforms) {
        const plan = await planFor(app, { ...lab, name: `${lab.name}-${platform}` }, platform);
        const lock = await lockLab(app.host, app.paths, plan.lab, 0);
        labs.#held.push({ plan, lock, images: {} });
        await refuseForeignLab(app, plan.lab);
      }
    } catch (error) {
      await labs.#unlock();
      throw error;
    }
    return labs;
  }

  /** @throws LabError naming the platform that can't run here */
  async requirePlatforms(onProgress: (what: string) => void): Promise<void> {
    for (const { plan } of this.#held) {
      onProgress(`trying platform ${plan.platform}`);
      await requirePlatform(this.#app, plan.platform);
    }
  }

  async buildImages(onProgress: (line: string) => void, signal: AbortSignal | undefined): Promise<void> {
    for (const held of this.#held) held.images = await buildImages(this.#app, held.plan, signal, onProgress);
  }

  plans(): LabPlan[] {
    return this.#held.map(({ plan }) => plan);
  }

  labs(): Partial<Record<PlatformName, RunLab>> {
    return Object.fromEntries(this.#held.map(({ plan, images }) => [plan.platform, { plan, roots: rootsOf(images) }]));
  }

  images(): ImageFacts {
    return Object.fromEntries(
      this.#held.flatMap(({ images }) =>
        Object.entries(images).map(([name, { key, manifest }]) => [name, { key, packages: manifest.packages }]),
      ),
    );
  }

  /** Removes the labs and lets their locks go. All is tried; says what could not be removed. */
  async close(): Promise<string[]> {
    const failures: string[] = [];
    try {
      for (const { plan } of this.#held) {
        try {
          await tearDown(this.#app, plan.lab);
        } catch (error) {
          if (!(error instanceof LabError)) throw error;
          failures.push(error.message);
        }
      }
    } finally {
      await this.#unlock();
    }
    return failures;
  }

  async #unlock(): Promise<void> {
    for (const { plan, lock } of this.#held) await unlockLab(this.#app.host, this.#app.paths, plan.lab, lock);
  }
}
