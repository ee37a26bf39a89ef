import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createFiles } from "../host/files.ts";
import { ExitCode } from "../model/error.ts";
import { samplesOf, trialOf } from "./fixture.ts";
import { createRunFolder, openRunFolder } from "./run-folder.ts";

const host = { files: createFiles() };
const FILES = { experiment: "name: e\n", lab: "name: l\n" };
let directory = "";

beforeEach(() => (directory = join(mkdtempSync(join(tmpdir(), "cloison-run-folder-")), "run")));
afterEach(() => rmSync(join(directory, ".."), { recursive: true }));

const trial = (attempt: number, reasons: string[] = []) =>
  trialOf({ block: 1, platform: "shared", phase: "cpu" }, attempt, reasons);
const create = () => createRunFolder(host, directory, FILES);
const lines = () => join(directory, "trials.jsonl");

test("a new folder holds the files, and no trial", async () => {
  const folder = await create();
  expect(readFileSync(join(directory, "experiment.yaml"), "utf8")).toBe(FILES.experiment);
  expect(readFileSync(join(directory, "lab.yaml"), "utf8")).toBe(FILES.lab);
  expect(await folder.trials()).toEqual([]);
  expect(await folder.environment()).toBeNull();
});

test("what is there already is left alone", async () => {
  mkdirSync(directory);
  await expect(create()).rejects.toMatchObject({
    exit: ExitCode.usage,
    hint: expect.stringContaining("--resume") as unknown,
  });
  expect(existsSync(join(directory, "experiment.yaml"))).toBe(false);
});

test("what a crash left of a folder's making is in nobody's way", async () => {
  mkdirSync(`${directory}.new/samples`, { recursive: true });
  await create();
  expect(existsSync(`${directory}.new`)).toBe(false);
});

test("a folder that is none of a run is refused", async () => {
  mkdirSync(directory);
  await expect(openRunFolder(host, directory)).rejects.toMatchObject({ exit: ExitCode.usage });
});

test("trials are found again, in the order in which they were run, with their samples", async () => {
  const folder = await create();
  await folder.saveTrial(trial(1, ["steal"]), []);
  await folder.saveTrial(trial(2), [{ reading: "probe:apache1", samples: samplesOf([1, 2]) }]);
  expect(await (await openRunFolder(host, directory)).trials()).toEqual([trial(1, ["steal"]), trial(2)]);
  expect(existsSync(join(directory, "samples/1-shared-cpu-2.parquet"))).toBe(true);
});

test("a later judgement wins, and stands where the trial stood", async () => {
  const folder = await create();
  await folder.saveTrial(trial(1), []);
  await folder.saveTrial(trial(2), []);
  await folder.saveJudgement(trial(1, ["the floor moved"]));
  expect(await folder.trials()).toEqual([trial(1, ["the floor moved"]), trial(2)]);
});

test("wherever a crash cuts the last line short, the trials before it are kept and those after it are added", async () => {
  const folder = await create();
  await folder.saveTrial(trial(1), []);
  const kept = readFileSync(lines()).length;
  await folder.saveTrial(trial(2), []);
  const whole = readFileSync(lines());
  for (let length = whole.length; length >= kept; length -= 7) {
    writeFileSync(lines(), whole);
    truncateSync(lines(), length);
    // A line is whole with or without its end.
    const second = length >= whole.length - 1 ? [trial(2)] : [];
    expect(await folder.trials()).toEqual([trial(1), ...second]);
    await folder.saveTrial(trial(3), []);
    expect(await folder.trials()).toEqual([trial(1), ...second, trial(3)]);
  }
});

test("a trial of another version is refused, at its line", async () => {
  const folder = await create();
  await folder.saveTrial(trial(1), []);
  appendFileSync(lines(), '{"id":"2"}\n');
  await expect(folder.trials()).rejects.toThrow(`${lines()}:3 is not a trial of this version`);
});

test("a trial whose samples can't be written does not count, and the error says what is kept", async () => {
  const folder = await create();
  await folder.saveTrial(trial(1), []);
  rmSync(join(directory, "samples"), { recursive: true });
  await expect(folder.saveTrial(trial(2), [])).rejects.toMatchObject({
    name: "LabError",
    message: expect.stringContaining("could not be saved") as unknown,
    hint: expect.stringContaining(`--resume ${directory}`) as unknown,
  });
  expect(await folder.trials()).toEqual([trial(1)]);
});
