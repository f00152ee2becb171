/** run.json: what was asked, of whom, and when; the only place with a wall clock. */
import { z } from 'zod';
import { experimentSchema, valueSchema } from '../experiment/experiment.ts';
import { askedOf, serviceSchema } from '../experiment/service.ts';

/** Slots are counted in 32 bits; no run that can be asked for has as many. */
export const mostSlots = 2 ** 31 - 1;

const common = {
  schema: z.literal(1),
  /** It names a folder, and begins the id of each request. */
  runId: z.string().regex(/^[\w-]{1,64}$/u, 'is no name of a run'),
  seed: z.number().int(),
  /** The command that repeats it. */
  command: z.string(),
  startedAt: z.iso.datetime(),
  /** CLOCK_MONOTONIC of the load's kernel at the first due time, in microseconds: the zero of all other times. */
  originMonotonicUs: z.number().int().nullable(),
  /** Wall clock minus CLOCK_MONOTONIC in that kernel, before and after the load, in microseconds. */
  wallOffsetUs: z.tuple([z.number(), z.number()]).nullable(),
  /** How long slots were due; with the rate it gives their number. */
  durationMs: z.number().nonnegative(),
  /** Versions and settings that bound the result. */
  fingerprint: z.record(z.string(), z.string()),
  /** Why the run was cut short; null when it was not. */
  aborted: z.string().min(1).nullable(),
  /** Requests under way when it was cut short; they have no row in the ledger. */
  unfinished: z.number().int().nonnegative(),
  /** Troubles of the run itself, each a sentence: a deploy that failed, a version that never became ready. */
  troubles: z.array(z.string()),
};

/** A write of a service of the user's own, made and looked for as its `writes` say before anything restarted. */
const firstWriteSchema = z.strictObject({
  /** Name of the request. */
  request: z.string(),
  id: z.string(),
  /** unknown: it was not acknowledged, or nobody could ask. */
  fate: z.enum(['found', 'absent', 'unknown']),
  /** An id that came in its place, or why its fate is unknown; empty where there is nothing to say. */
  came: z.string(),
});

const experimentRunSchema = z.strictObject({
  kind: z.literal('experiment'),
  ...common,
  /** The experiment as it ran, options applied. */
  experiment: experimentSchema,
  variant: z
    .string()
    .regex(/^[a-z0-9-]{1,100}$/u, 'is no name of a variant')
    .nullable(),
  /** What the variant is about, in its file's words. */
  variantAbout: z.string().nullable().default(null),
  /** The service.yaml of a service of the user's own, as it was typed. */
  app: z.string().optional(),
  /** What became of its first writes. */
  firstWrites: z.array(firstWriteSchema).optional(),
  /** What options and controls set of it, in their order: field and value. */
  changes: z.array(z.tuple([z.string(), valueSchema])).default([]),
  /** When each deploy was to begin, in milliseconds since the origin. */
  deployBeginsMs: z.array(z.number()),
  /** How many lines some of its files had; only older runs have it. */
  witnessLines: z.record(z.string(), z.number().int().nonnegative()).default({}),
});

/** What the service answered before the command was to begin. */
const beforeSchema = z.strictObject({
  /** Requests that were settled. */
  asked: z.number().int().nonnegative(),
  /** Of them, those that were answered as expected. */
  asExpected: z.number().int().nonnegative(),
  /** All of them by outcome. */
  answers: z.record(z.string(), z.number().int().nonnegative()),
  /** One answer that was not as expected, in words; null where all were, or none says more than its outcome. */
  example: z.string().nullable(),
});

/** Who listens on the service's port, as `pid/start time` of each process; null where nobody could look. */
const listenersSchema = z.strictObject({ before: z.string().nullable(), after: z.string().nullable() });

const serviceRunSchema = z.strictObject({
  kind: z.literal('measure'),
  ...common,
  service: serviceSchema,
  /** null where there was no command. */
  before: beforeSchema.nullable().default(null),
  /** Did the command begin? It does not where the service was ill before. */
  commandRun: z.boolean().default(true),
  /** The shell that ran it, with its flags; null where it ran in none. */
  shell: z.string().nullable().default(null),
  /** Held connections: rows of their file, and of these, those that opened. Unknown where the generator did not live to tell. */
  held: z
    .strictObject({
      lives: z.number().int().nonnegative(),
      opened: z.number().int().nonnegative(),
      endedByService: z.number().int().nonnegative(),
      cut: z.number().int().nonnegative().optional(),
    })
    .optional(),
  /** Before the first run of the command, and after the last. */
  listeners: listenersSchema.nullable().default(null),
  /** The same around each run of the command, where it was to run several times. */
  listenersByRestart: z.array(listenersSchema.extend({ restart: z.number().int().positive() })).optional(),
  /** What was read of each --access-log. */
  accessLogs: z
    .array(
      z.strictObject({
        path: z.string(),
        /** Who writes such lines, the most frequent first. */
        formats: z.array(z.string()),
        /** Lines that were written to it while the load went on. */
        lines: z.number().int().nonnegative(),
        /** Of them, those of this load: by their ids, or without ids by method and path. */
        ours: z.number().int().nonnegative(),
        notUnderstood: z.number().int().nonnegative(),
        /** How its lines find their requests; too-coarse: no ids, and stamps that many requests share. */
        joined: z.enum(['id', 'time', 'too-coarse', 'nothing']),
        /** How often another file took its place. */
        replaced: z.number().int().nonnegative(),
        /** When it was emptied in place: lines of that time may be lost, µs since the origin. */
        emptied: z.array(z.tuple([z.number(), z.number()])),
        /** Why it could not be read to its end. */
        problem: z.string().optional(),
      }),
    )
    .optional(),
  /** The process that measures, as `host pid/start time`; null when the run has ended and its files are complete. */
  underWay: z.string().nullable().default(null),
  /** Where the name of the service leads at the end of the load, if no longer to its first address. */
  movedTo: z.string().optional(),
  /** What a reader must know besides, each a sentence. */
  notes: z.array(z.string()).default([]),
});

/** The schema of run.json: a run of an experiment in the lab, or a measurement of a service that the user runs. */
export const runRecordSchema = z
  .discriminatedUnion('kind', [experimentRunSchema, serviceRunSchema])
  .superRefine((run, context) => {
    const ratePerSecond = rateOf(run);
    if (slotsOf(run) <= mostSlots) return;
    const message = `at ${ratePerSecond} requests a second that is more than the ${mostSlots} that any run may have`;
    context.addIssue({ code: 'custom', path: ['durationMs'], message });
  });

/** How many requests a run's schedule has, about. */
export function slotsOf(run: RunRecord): number {
  return Math.ceil((rateOf(run) * run.durationMs) / 1000);
}

function rateOf(run: RunRecord): number {
  return run.kind === 'experiment' ? run.experiment.load.ratePerSecond : run.service.ratePerSecond;
}

/** run.json. */
export type RunRecord = z.infer<typeof runRecordSchema>;
/** run.json of an experiment. */
export type ExperimentRun = z.infer<typeof experimentRunSchema>;
/** A write that was made before the load. */
export type FirstWrite = z.infer<typeof firstWriteSchema>;
/** run.json of a measured service. */
export type ServiceRun = z.infer<typeof serviceRunSchema>;

/** What verdict and report ask of either kind of run. */
export interface Subject {
  /** `E5`, or `measure`. */
  readonly id: string;
  readonly title: string;
  readonly question: string;
  readonly ratePerSecond: number;
  /** How many restarts were to happen under the load. */
  readonly plannedRestarts: number;
}

/** The subject of a run. */
export function subjectOf(run: RunRecord): Subject {
  if (run.kind === 'experiment') {
    const { id, title, question, load } = run.experiment;
    return { id, title, question, ratePerSecond: load.ratePerSecond, plannedRestarts: run.deployBeginsMs.length };
  }
  const { url, ratePerSecond, whileCommand, restarts = 1 } = run.service;
  return {
    id: 'measure',
    title: askedOf(run.service),
    question:
      whileCommand === null
        ? `Does ${url} answer every request?`
        : `Does ${url} answer every request while “${whileCommand}” runs${restarts === 1 ? '' : ` ${restarts} times`}?`,
    ratePerSecond,
    plannedRestarts: whileCommand === null ? 0 : restarts,
  };
}
