/** run.json: what was asked, of whom, and when; the only place with a wall clock. */
import { z } from 'zod';
import { experimentSchema } from './experiment.ts';

/** The schema of run.json. */
export const runRecordSchema = z.strictObject({
  schema: z.literal(1),
  runId: z.string(),
  /** The experiment as it ran, options applied. */
  experiment: experimentSchema,
  variant: z.string().nullable(),
  seed: z.number().int(),
  /** The command that repeats it. */
  command: z.string(),
  startedAt: z.iso.datetime(),
  /** CLOCK_MONOTONIC of the engine's kernel at the first due time, in microseconds: the zero of all other times. */
  originMonotonicUs: z.number().int().nullable(),
  /** Wall clock minus CLOCK_MONOTONIC in the engine's kernel, before and after the load, in microseconds. */
  wallOffsetUs: z.tuple([z.number(), z.number()]).nullable(),
  /** When each deploy was to begin, in milliseconds since the origin. */
  deployBeginsMs: z.array(z.number()),
  durationMs: z.number(),
  /** Versions and settings that bound the result. */
  fingerprint: z.record(z.string(), z.string()),
  /** Why the run was cut short; null when it was not. */
  aborted: z.string().nullable(),
  /** Requests under way when it was cut short; they have no row in the ledger. */
  unfinished: z.number().int().nonnegative(),
  /** Troubles of the run itself, each a sentence: a deploy that failed, a version that never became ready. */
  troubles: z.array(z.string()),
});

/** run.json. */
export type RunRecord = z.infer<typeof runRecordSchema>;
