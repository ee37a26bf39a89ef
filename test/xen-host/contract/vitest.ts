import {
  ASYMMETRIC_MATCHERS_OBJECT,
  chai,
  customMatchers,
  JestAsymmetricMatchers,
  JestChaiExpect,
  JestExtend,
} from "@vitest/expect";

/** What the contract suite takes of vitest, small enough for an emulated CPU: its own matchers, and tests one after the other. */

type Work = () => unknown;

/** How a test ended. */
export interface Outcome {
  name: string;
  failure: string | null;
  tookMs: number;
}

for (const plugin of [JestExtend, JestChaiExpect, JestAsymmetricMatchers]) chai.use(plugin);

export const expect = Object.assign(
  (value: unknown, message?: string) => chai.expect(value, message),
  chai.expect,
  (globalThis as unknown as Record<symbol, object>)[ASYMMETRIC_MATCHERS_OBJECT],
);

(chai.expect as unknown as { extend(of: unknown, matchers: object): void }).extend(expect, customMatchers);

const tests: { name: string; work: Work }[] = [];
const hooks = { beforeAll: [] as Work[], afterEach: [] as Work[], afterAll: [] as Work[] };

export const describe = (_name: string, define: () => void) => define();
export const test = (name: string, work: Work) => void tests.push({ name, work });
export const beforeAll = (work: Work) => void hooks.beforeAll.push(work);
export const afterEach = (work: Work) => void hooks.afterEach.push(work);
export const afterAll = (work: Work) => void hooks.afterAll.push(work);

/** Runs what was defined; each outcome is told as soon as it is known. */
export async function runTests(tell: (outcome: Outcome) => void, isWanted: (name: string) => boolean): Promise<void> {
  for (const hook of hooks.beforeAll) await hook();
  for (const { name, work } of tests.filter((one) => isWanted(one.name))) {
    const beganMs = performance.now();
    let failure: string | null = null;
    for (const part of [work, ...hooks.afterEach]) {
      try {
        await part();
      } catch (error) {
        failure ??= error instanceof Error ? `${error.message}\n${error.stack ?? ""}` : String(error);
      }
    }
    tell({ name, failure, tookMs: Math.round(performance.now() - beganMs) });
  }
  for (const hook of hooks.afterAll) await hook();
}
