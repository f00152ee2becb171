/** What a gate compares with: runs that somebody accepted, with their figures, by restart where restarts matter. */
import { z } from 'zod';
import { cpuPressure } from '../lab/kernel-counters.ts';
import type { ExperimentRun } from '../run/run-record.ts';
import type { Verdict } from '../verdict/verdict.ts';
import { fileNameSchema } from './budgets.ts';
import { conditionsOf } from './conditions.ts';

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
  writes: z.strictObject({ sent: count, lost: count, duplicated: count, misattributed: count }).nullable(),
  stale: count,
  longestWaitMs: milliseconds,
  directLongestWaitMs: milliseconds,
  gapMs: milliseconds,
  /** The share of the run in which some process of the machine waited for a CPU. */
  cpuPressurePercent: z.number().nullable(),
  fingerprint: z.record(z.string(), z.string()),
});

/** The schema of reports/baselines/<name>.json. */
export const baselineSchema = z.strictObject({
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
  const { writes, witnesses } = verdict;
  const pressureUs = witnesses.kernel[cpuPressure];
  return {
    runId: verdict.runId,
    citation: verdict.citation,
    controls: (verdict.controls ?? []).map(({ role, name, runId }) => `${role} ${name}@${runId}`),
    due: verdict.due,
    dropped: verdict.dropped,
    restarts: verdict.restarts,
    badRestarts: verdict.badRestarts,
    perRestart: verdict.perRestart
      .filter(({ voided, droppedInRestart }) => !voided || droppedInRestart > 0)
      .map(({ droppedInRestart, predictedDropped }) => ({ dropped: droppedInRestart, predicted: predictedDropped })),
    writes:
      writes === null
        ? null
        : {
            sent: writes.acknowledged + writes.failed + writes.indeterminate,
            lost: writes.lost,
            duplicated: writes.duplicated,
            misattributed: writes.misattributed,
          },
    stale: verdict.stale,
    longestWaitMs: verdict.longestWaitMs,
    directLongestWaitMs: verdict.direct?.longestWaitMs ?? null,
    gapMs: verdict.gapMs,
    cpuPressurePercent:
      pressureUs === undefined || run.durationMs <= 0 ? null : Math.round(pressureUs / (run.durationMs * 10)),
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
