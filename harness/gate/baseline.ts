/** What a gate compares with: runs that somebody accepted, with their figures; a file of reports/baselines/ each. */
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { plainJson } from '../run/plain-file.ts';
import type { ExperimentRun } from '../run/run-record.ts';
import { pressurePercent } from '../run/files/kernel.ts';
import type { Verdict } from '../verdict/record/verdict.ts';
import { fileNameSchema } from './files/budgets.ts';
import { conditionsOf } from './conditions.ts';
import { usageError } from './refusals.ts';

const count = z.number().int().nonnegative();
const milliseconds = z.number().nullable();

const baselineRunSchema = z.strictObject({
  runId: z.string(),
  verdict: z.enum(['pass', 'fail']),
  /** The run's own line. */
  citation: z.string(),
  /** The runs it was made beside. */
  controls: z.array(z.string()),
  due: count,
  dropped: count,
  restarts: count,
  badRestarts: count,
  /** Dropped in each restart that counts, and what was predicted of it. */
  perRestart: z.array(z.strictObject({ dropped: count, predicted: z.number().nullable() })),
  writes: z.strictObject({ sent: count, lost: count, duplicated: count.nullable(), misattributed: count }).nullable(),
  /** null where it was not known. */
  stale: count.nullable(),
  longestWaitMs: milliseconds,
  directLongestWaitMs: milliseconds,
  gapMs: milliseconds,
  /** The share of the run in which some process of the machine waited for a CPU. */
  cpuPressurePercent: z.number().nullable(),
  fingerprint: z.record(z.string(), z.string()),
});

const baselineSchema = z.strictObject({
  schema: z.literal(1),
  name: fileNameSchema,
  experiment: z.string(),
  variant: z.string().nullable(),
  /** What was asked of all of its runs. */
  conditions: z.record(z.string(), z.string()),
  runs: z.array(baselineRunSchema).min(1),
});

/** A baseline. */
export type Baseline = z.infer<typeof baselineSchema>;
/** A run's figures, as a baseline holds them and as they are compared with one. */
export type RunFigures = Omit<z.infer<typeof baselineRunSchema>, 'verdict'>;

/** A run and the record of what was asked of it. */
export interface RecordedRun {
  readonly verdict: Verdict;
  readonly run: ExperimentRun;
}

/** The figures of a run. */
export function figuresOf({ verdict, run }: RecordedRun): RunFigures {
  const { runId, citation, due, dropped, restarts, badRestarts, writes, stale, longestWaitMs, gapMs } = verdict;
  const percent = pressurePercent(verdict.witnesses.kernel, run.durationMs);
  return {
    ...{ runId, citation, due, dropped, restarts, badRestarts, stale, longestWaitMs, gapMs },
    controls: (verdict.controls ?? []).map((control) => `${control.role} ${control.name}@${control.runId}`),
    perRestart: verdict.perRestart
      .filter(({ voided, droppedInRestart }) => !voided || droppedInRestart > 0)
      .map(({ droppedInRestart, predictedDropped }) => ({ dropped: droppedInRestart, predicted: predictedDropped })),
    writes: writes && {
      sent: writes.acknowledged + writes.failed + writes.indeterminate,
      lost: writes.lost,
      duplicated: writes.duplicated,
      misattributed: writes.misattributed,
    },
    directLongestWaitMs: verdict.direct?.longestWaitMs ?? null,
    cpuPressurePercent: percent === null ? null : Math.round(percent),
    fingerprint: run.fingerprint,
  };
}

/** A baseline of one run; `pooled` puts several together. */
export function baselineOf(name: string, recorded: RecordedRun): Baseline {
  const { verdict, run } = recorded;
  if (verdict.verdict !== 'pass' && verdict.verdict !== 'fail') throw new Error(`${verdict.verdict} is no baseline`);
  return {
    schema: 1,
    name,
    experiment: verdict.experiment,
    variant: verdict.variant,
    conditions: conditionsOf(run.experiment),
    runs: [{ ...figuresOf(recorded), verdict: verdict.verdict }],
  };
}

/** The runs of both, each once, in the order of their names, which is that of time. Their conditions are those of `a`. */
export function pooled(a: Baseline, b: Baseline): Baseline {
  const runs = new Map([...a.runs, ...b.runs].map((run) => [run.runId, run]));
  return { ...a, runs: [...runs.values()].sort((one, other) => (one.runId < other.runId ? -1 : 1)) };
}

/** All baselines of a folder, by name, in the order of their names; none where the folder is missing. */
export async function readBaselines(folder: string): Promise<Map<string, Baseline>> {
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.json')).sort();
  const baselines = new Map<string, Baseline>();
  for (const file of names) {
    const path = join(folder, file);
    const baseline = await plainJson(path, baselineSchema, {
      what: 'baseline',
      code: 'gate-unusable',
      hint: 'It is written by `npm run baseline -- accept RUN` alone; take the committed one back.',
    });
    if (`${baseline.name}.json` !== file)
      throw usageError(`${path} calls itself ${baseline.name}: name and file must agree.`);
    baselines.set(baseline.name, baseline);
  }
  return baselines;
}

/**
 * A baseline's name, which becomes a file's.
 * @throws {HarnessError} when it cannot
 */
export function baselineName(name: string): string {
  if (fileNameSchema.safeParse(name).success) return name;
  throw usageError(
    `${JSON.stringify(name)} cannot name a baseline.`,
    'A name has letters, digits, @, dots and dashes, and begins with a letter or a digit.',
  );
}

/** Writes a baseline; gives the file's path. */
export async function writeBaseline(folder: string, baseline: Baseline): Promise<string> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, `${baselineName(baseline.name)}.json`);
  // A link there is replaced, not followed.
  await rm(path, { force: true });
  await writeFile(path, `${JSON.stringify(baseline, null, 2)}\n`, { flag: 'wx' });
  return path;
}
