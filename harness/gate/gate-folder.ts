/**
 * What a gate leaves beside its runs, in `gate/`: what was asked, and for each entry the tries that were made. A merge
 * reads it, from however many folders.
 */
import { lstat, mkdir, opendir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { messageOf } from '../base/errors.ts';
import { oneLine, plainJson, refused } from '../run/plain-file.ts';
import { readRun } from '../verdict/record/read-run.ts';
import { fileNameSchema } from './files/budgets.ts';
import type { Attempt } from './decide.ts';
import { usageError } from './refusals.ts';

/** Names within a folder that a gate was run into. */
export const gateFiles = {
  folder: 'gate',
  /** Says that the folder is ours, and may be emptied by the next gate. */
  mark: 'gate/made-by-restart-proof',
  asked: 'gate/asked.json',
  tries: 'gate/tries',
  result: 'gate/gate.json',
  junit: 'gate/junit.xml',
  summary: 'gate/summary.md',
} as const;

const askedSchema = z.strictObject({
  schema: z.literal(1),
  /** Every entry that the gate is about, other machines' shares included. */
  entries: z.array(fileNameSchema),
  /** What was set beside the budgets file, as options: `--set unit.socketTie=part-of`. */
  options: z.array(z.string()).default([]),
  shard: z.string().nullable(),
});

/** A folder's name, and no way out of the folder that it lies in. */
const runFolder = /^[A-Za-z0-9][\w.-]{0,99}\/[A-Za-z0-9][\w-]{0,99}$/u;

const triesSchema = z.strictObject({
  schema: z.literal(1),
  entry: fileNameSchema,
  tries: z
    .array(
      z.discriminatedUnion('kind', [
        /** The run's folder, from the folder that `gate/` lies in. */
        z.strictObject({ kind: z.literal('run'), folder: z.string().regex(runFolder, 'is no folder of a run') }),
        z.strictObject({ kind: z.enum(['not-ready', 'broken']), message: z.string().max(100_000) }),
      ]),
    )
    .max(10),
});

/** A try, as it is noted. */
export type NotedTry = z.infer<typeof triesSchema>['tries'][number];

/**
 * Refuses a folder in which `gate/` is not one that a gate made: it would be emptied.
 * @throws {HarnessError} naming it
 */
export async function requireOwnGate(folder: string): Promise<void> {
  const path = join(folder, gateFiles.folder);
  const found = await lstat(path).catch(() => null);
  if (found === null) return;
  const isEmpty = found.isDirectory() && (await readdir(path)).length === 0;
  if (found.isDirectory() && (isEmpty || (await isFile(join(folder, gateFiles.mark))))) return;
  throw usageError(
    `${path} is there and was not made by a gate, so it is not emptied.`,
    'Name another folder with --out, or move that one away.',
  );
}

/** Begins a gate in this folder: what an earlier one left is not part of it (its runs stay). */
export async function beginGate(
  folder: string,
  { entries, options, shard }: { entries: readonly string[]; options: readonly string[]; shard: string | null },
): Promise<void> {
  await requireOwnGate(folder);
  await rm(join(folder, gateFiles.folder), { recursive: true, force: true });
  await mkdir(join(folder, gateFiles.tries), { recursive: true });
  const mark = 'Made by `gate` of restart-proof; the next gate empties this folder.\n';
  await writeFile(join(folder, gateFiles.mark), mark);
  await writeJson(join(folder, gateFiles.asked), { schema: 1, entries, options, shard });
}

/** Notes the tries of an entry, so far. */
export async function noteTries(folder: string, entry: string, tries: readonly NotedTry[]): Promise<void> {
  await writeJson(join(folder, gateFiles.tries, `${entry}.json`), { schema: 1, entry, tries });
}

/** A run that a gate made, and where. */
export interface FoundRun {
  readonly entry: string;
  readonly folder: string;
  readonly attempt: Extract<Attempt, { kind: 'run' }>;
}

/** What was found in one folder or several. */
export interface Found {
  readonly asked: ReadonlySet<string>;
  /** What was set beside the budgets file. */
  readonly options: readonly string[];
  readonly attempts: ReadonlyMap<string, readonly Attempt[]>;
  readonly runs: readonly FoundRun[];
}

/**
 * Reads what gates left in these folders; the order does not matter.
 * @throws {HarnessError} when one holds no gate, when they were asked otherwise, or when a run is there twice
 */
export async function readGates(folders: readonly string[]): Promise<Found> {
  const gates = [];
  for (const folder of folders) gates.push({ folder, ...(await readAsked(folder)) });
  const [first] = gates;
  const other = gates.find(({ options }) => options.join(' ') !== first?.options.join(' '));
  if (first !== undefined && other !== undefined) {
    throw usageError(
      `${other.folder} was run with ${optionsText(other.options)}, and ${first.folder} with ${optionsText(first.options)}.`,
      'Merge shards of one gate.',
    );
  }
  const runs: FoundRun[] = [];
  const groups: { entry: string; attempts: Attempt[] }[] = [];
  for (const { folder, entries } of gates) {
    for (const { entry, tries } of await readTries(folder)) {
      if (!entries.includes(entry))
        throw usageError(`${folder} has tries of ${entry}, and its gate was not asked for that.`);
      const attempts: Attempt[] = [];
      for (const one of tries)
        attempts.push(one.kind === 'run' ? await foundRun(folder, one.folder, { entry, runs }) : one);
      groups.push({ entry, attempts });
    }
  }
  // Within a folder tries are in their order; between folders the first run's name, which is its time, decides.
  groups.sort((a, b) => (keyOf(a.attempts) < keyOf(b.attempts) ? -1 : 1));
  const byEntry = [...Map.groupBy(groups, ({ entry }) => entry)];
  return {
    asked: new Set(gates.flatMap(({ entries }) => entries)),
    options: first?.options ?? [],
    attempts: new Map(byEntry.map(([entry, all]) => [entry, all.flatMap(({ attempts }) => attempts)])),
    runs,
  };
}

function optionsText(options: readonly string[]): string {
  return options.length === 0 ? 'no options' : options.join(' ');
}

async function readAsked(folder: string): Promise<z.infer<typeof askedSchema>> {
  await refuseStrange(folder);
  const what = 'record of what a gate was asked';
  return await plainJson(join(folder, gateFiles.asked), askedSchema, { what, code: 'gate-unusable' });
}

/** No gate has as many entries. */
const mostTriesFiles = 1_000;

async function readTries(folder: string): Promise<z.infer<typeof triesSchema>[]> {
  const names: string[] = [];
  for await (const { name } of await opendir(join(folder, gateFiles.tries))) {
    if (!name.endsWith('.json') || names.length === mostTriesFiles) {
      throw refused(`${join(folder, gateFiles.tries, name)} is no file of a gate`);
    }
    names.push(name);
  }
  const all: z.infer<typeof triesSchema>[] = [];
  for (const name of names.sort()) {
    const path = join(folder, gateFiles.tries, name);
    const noted = await plainJson(path, triesSchema, { what: 'record of tries', code: 'gate-unusable' });
    if (`${noted.entry}.json` !== name)
      throw usageError(`${path} calls itself ${noted.entry}: name and file must agree.`);
    all.push(noted);
  }
  return all;
}

/** `gate/` and `gate/tries/` are folders, not links, and hold nothing that is not a gate's. */
async function refuseStrange(folder: string): Promise<void> {
  for (const name of [gateFiles.folder, gateFiles.tries]) await refuseLink(join(folder, name));
  const known = new Set<string>(Object.values(gateFiles));
  for await (const { name } of await opendir(join(folder, gateFiles.folder))) {
    const path = join(folder, gateFiles.folder, name);
    if (!known.has(`${gateFiles.folder}/${name}`)) throw refused(`${path} is no file of a gate`);
  }
}

async function refuseLink(path: string): Promise<void> {
  const found = await lstat(path).catch((cause: unknown) => {
    throw usageError(`${path} is missing.`, undefined, cause);
  });
  if (!found.isDirectory()) throw refused(`${path} is not a folder`);
}

/** Reads a run, and notes it among those that were found before, of which none may be the same. */
async function foundRun(
  folder: string,
  name: string,
  { entry, runs }: { entry: string; runs: FoundRun[] },
): Promise<Attempt> {
  const [experiment = '', run = ''] = name.split('/');
  const path = join(folder, experiment, run);
  await refuseLink(join(folder, experiment));
  await refuseLink(path);
  const attempt = { kind: 'run' as const, ...(await readRun(path)) };
  const { runId } = attempt.verdict;
  const twin = runs.find((one) => one.attempt.verdict.runId === runId);
  if (twin !== undefined) {
    throw usageError(
      `The run ${runId} is there twice: in ${twin.folder} and in ${path}.`,
      'Merge each shard once, as its machine wrote it.',
    );
  }
  runs.push({ entry, folder: path, attempt });
  return attempt;
}

/** Folders of gates among these: each itself, or those right in it, as a CI system unpacks artifacts. */
export async function gateFoldersIn(folders: readonly string[]): Promise<string[]> {
  const found = new Set<string>();
  for (const folder of folders) {
    const inside = await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
      throw usageError(`${folder} cannot be read: ${oneLine(messageOf(cause))}.`, undefined, cause);
    });
    const below = inside.filter((each) => each.isDirectory()).map(({ name }) => join(folder, name));
    const candidates = [folder, ...below.sort()];
    const areGates = await Promise.all(candidates.map((candidate) => isFile(join(candidate, gateFiles.asked))));
    for (const gate of candidates.filter((_, index) => areGates[index])) found.add(gate);
    if (!areGates.includes(true)) {
      throw usageError(
        `${folder} holds no gate: there is no ${gateFiles.asked}.`,
        'Name the folders that `npm run gate -- --shard … --out FOLDER` wrote.',
      );
    }
  }
  return [...found];
}

function keyOf(attempts: readonly Attempt[]): string {
  const run = attempts.find((attempt) => attempt.kind === 'run');
  return run?.verdict.runId ?? JSON.stringify(attempts);
}

/** Is it a file, and no link? */
export async function isFile(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => null))?.isFile() === true;
}

async function writeJson(path: string, value: unknown): Promise<void> {
  await writeFile(path, `${JSON.stringify(value, null, 2)}\n`);
}
