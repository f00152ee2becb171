/**
 * What a gate leaves beside its runs, in `gate/`: what was asked, and for each entry the tries that were made. A merge
 * reads it, from however many folders.
 */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { messageOf } from '../errors.ts';
import { readRunRecord, runFiles } from '../scenario/run-folder.ts';
import { verdictSchema } from '../verdict/verdict.ts';
import type { Attempt } from './decide.ts';
import { usageError } from './refusals.ts';

/** Names within a folder that a gate was run into. */
export const gateFiles = {
  asked: 'gate/asked.json',
  tries: 'gate/tries',
  result: 'gate/gate.json',
  junit: 'gate/junit.xml',
  summary: 'gate/summary.md',
} as const;

const askedSchema = z.strictObject({
  schema: z.literal(1),
  /** Every entry that the gate is about, other machines' shares included. */
  entries: z.array(z.string()),
  shard: z.string().nullable(),
});

const triesSchema = z.strictObject({
  schema: z.literal(1),
  entry: z.string(),
  tries: z.array(
    z.discriminatedUnion('kind', [
      /** The run's folder, from the folder that `gate/` lies in. */
      z.strictObject({ kind: z.literal('run'), folder: z.string().regex(/^[\w.-]+\/[\w.-]+$/u) }),
      z.strictObject({ kind: z.literal('not-ready'), message: z.string() }),
      z.strictObject({ kind: z.literal('broken'), message: z.string() }),
    ]),
  ),
});

/** A try, as it is noted. */
export type NotedTry = z.infer<typeof triesSchema>['tries'][number];

/** Begins a gate in this folder: what an earlier one left is not part of it (its runs stay). */
export async function beginGate(folder: string, entries: readonly string[], shard: string | null): Promise<void> {
  await rm(join(folder, 'gate'), { recursive: true, force: true });
  await mkdir(join(folder, gateFiles.tries), { recursive: true });
  await writeJson(join(folder, gateFiles.asked), { schema: 1, entries, shard });
}

/** Notes the tries of an entry, so far. */
export async function noteTries(folder: string, entry: string, tries: readonly NotedTry[]): Promise<void> {
  await writeJson(join(folder, gateFiles.tries, `${entry}.json`), { schema: 1, entry, tries });
}

/** What was found in one folder or several. */
export interface Found {
  readonly asked: ReadonlySet<string>;
  readonly attempts: ReadonlyMap<string, readonly Attempt[]>;
}

/**
 * Reads what gates left in these folders; the order does not matter, and the same run found twice counts once.
 * @throws {HarnessError} when one holds no gate, or two runs of one name differ
 */
export async function readGates(folders: readonly string[]): Promise<Found> {
  const asked = new Set<string>();
  const attempts = new Map<string, Attempt[]>();
  const seen = new Map<string, string>();
  for (const folder of folders) {
    for (const entry of (await readJson(join(folder, gateFiles.asked), askedSchema)).entries) asked.add(entry);
    const names = (await readdir(join(folder, gateFiles.tries))).filter((name) => name.endsWith('.json')).sort();
    for (const name of names) {
      const { entry, tries } = await readJson(join(folder, gateFiles.tries, name), triesSchema);
      const known = attempts.get(entry) ?? [];
      for (const one of tries) {
        const attempt = one.kind === 'run' ? await readRun(join(folder, one.folder)) : one;
        const key = attempt.kind === 'run' ? `${entry} ${attempt.verdict.runId}` : `${entry} ${attempt.message}`;
        const text = JSON.stringify(attempt);
        const before = seen.get(key);
        if (before !== undefined && before !== text) {
          throw usageError(
            `Two runs are called ${key}, and they differ.`,
            'Merge the folders as the machines wrote them.',
          );
        }
        // What left no run may say the same each time, and is a try each time.
        if (before !== undefined && attempt.kind === 'run') continue;
        seen.set(key, text);
        known.push(attempt);
      }
      attempts.set(entry, known);
    }
  }
  for (const tries of attempts.values()) tries.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : keyOf(a) > keyOf(b) ? 1 : 0));
  return { asked, attempts };
}

/** Folders of gates among these: each itself, or those right in it, as a CI system unpacks artifacts. */
export async function gateFoldersIn(folders: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const folder of folders) {
    const inside = await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
      throw usageError(`${folder} cannot be read: ${messageOf(cause)}.`, undefined, cause);
    });
    const candidates = [
      folder,
      ...inside
        .filter((each) => each.isDirectory())
        .map(({ name }) => join(folder, name))
        .sort(),
    ];
    const gates: string[] = [];
    for (const candidate of candidates) {
      if (
        await readFile(join(candidate, gateFiles.asked)).then(
          () => true,
          () => false,
        )
      )
        gates.push(candidate);
    }
    if (gates.length === 0) {
      throw usageError(
        `${folder} holds no gate: there is no ${gateFiles.asked}.`,
        'Name the folders that `npm run gate -- --shard … --out FOLDER` wrote.',
      );
    }
    found.push(...gates);
  }
  return [...new Set(found)];
}

function keyOf(attempt: Attempt): string {
  return attempt.kind === 'run' ? attempt.verdict.runId : attempt.message;
}

/** A run's verdict and record, from its folder. */
export async function readRun(folder: string): Promise<Extract<Attempt, { kind: 'run' }>> {
  const run = await readRunRecord(folder);
  return { kind: 'run', verdict: await readJson(join(folder, runFiles.verdict), verdictSchema), run };
}

async function readJson<Schema extends z.ZodType>(path: string, schema: Schema): Promise<z.infer<Schema>> {
  try {
    return schema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (cause) {
    throw usageError(`${path} cannot be used: ${messageOf(cause)}.`, undefined, cause);
  }
}

async function writeJson(path: string, value: unknown): Promise<void> {
  await writeFile(path, `${JSON.stringify(value, null, 2)}\n`);
}
