/** The verdict of a run, as verdict.json holds it and `--json` prints it. */
import { z } from 'zod';

const count = z.number().int().nonnegative();
const milliseconds = z.number();

const tallySchema = z.strictObject({
  due: count,
  sent: count,
  dropped: count,
  outcomes: z.record(z.string(), count),
});

/**
 * What a client that sends idempotent requests again (as RFC 9110, section 9.2.2, lets it) would have seen: computed
 * from the rows, never sent. Sent again would have been each GET that died on a connection used before, with no byte
 * of its answer seen; whether the second try would have been answered nobody knows, so this is the best case.
 */
const retryingClientSchema = z.strictObject({ resent: count, droppedAtBest: count });

const restartSchema = z.strictObject({
  restart: z.number().int().positive(),
  /** Microseconds since run start, from the timeline; null where the event was not seen. */
  deployBeginUs: z.number(),
  sigtermUs: z.number().nullable(),
  acceptStoppedUs: z.number().nullable(),
  acceptingUs: z.number().nullable(),
  readyUs: z.number().nullable(),
  /** From `accept-stopped` to `accepting`. */
  outageMs: milliseconds.nullable(),
  dueInOutage: count,
  droppedInRestart: count,
  /** Of them, by method and connection: `POST kept`. */
  droppedByKind: z.record(z.string(), count),
  inFlightAtSigterm: count,
  longestWaitMs: milliseconds.nullable(),
  /** A request left too late in its at-risk span: it proves nothing, but what it dropped counts. */
  voided: z.boolean(),
  predictedDropped: z.number().nullable(),
  /** Connections that should wait in the listen queue at the window's end; null where none can queue. */
  expectedQueue: z.number().nullable(),
  /** The most that were seen to wait there, sampled every 10 ms; null where nobody looked. */
  longestQueue: z.number().nullable(),
});

/** Of the writes' ids, some to look at. */
const examplesSchema = z.record(z.enum(['lost', 'duplicated', 'misattributed', 'unexpected']), z.array(z.string()));

const writesSchema = z.strictObject({
  /** A 2xx arrived. */
  acknowledged: count,
  /** Surely not applied. */
  failed: count,
  /** Nobody can know from the answer. */
  indeterminate: count,
  /** Indeterminate, and found in the database. */
  recovered: count,
  /** Acknowledged, and not in the database. */
  lost: count,
  /** More than once in the database. */
  duplicated: count,
  /** Failed, and in the database. */
  misattributed: count,
  /** In the database, and never sent. */
  unexpected: count,
  examples: examplesSchema,
  /** What SQLite's integrity_check said. */
  integrity: z.string(),
  /** Writes that waited for the database's lock, and those that SQLite refused (SQLITE_BUSY), from the site's log. */
  busy: z.strictObject({
    refused: count,
    /** How long a refused write had waited. */
    shortestRefusalMs: milliseconds.nullable(),
    longestRefusalMs: milliseconds.nullable(),
    /** Waits above 5 ms, answered or not. */
    waits: count,
    longestWaitMs: milliseconds,
  }),
});

/** Ledger, proxy's log and site's log beside each other, by request id. */
const reconciliationSchema = z.strictObject({
  rows: count,
  /** Rows of which something does not agree. */
  disagreeing: count,
  disagreements: z.array(z.strictObject({ seq: z.number(), what: z.string() })),
  /** Dropped rows by cause. */
  causes: z.record(z.string(), count),
  /** Of each cause a row, and the line of a witness other than the client that shows it. */
  examples: z.record(
    z.string(),
    z.strictObject({ seq: z.number(), file: z.string().optional(), line: z.number().optional() }),
  ),
  unexplained: count,
  unexplainedRows: z.array(z.number()),
});

const momentSchema = z.strictObject({ kind: z.string(), atUs: z.number(), line: count });

/** A run without the restart, or without the mechanism, on the same lab. */
const controlSchema = z.strictObject({
  role: z.enum(['C0', 'C+']),
  name: z.string(),
  because: z.string(),
  runId: z.string(),
  verdict: z.enum(['pass', 'fail', 'inconclusive', 'aborted']),
  dropped: count,
  due: count,
  badRestarts: count,
  restarts: count,
  /** sha256 of its ledger. */
  ledger: z.string(),
  /** Did it come out as it must? */
  holds: z.boolean(),
});

/** The instrument against servers that fail in known ways, on the machine that ran it. */
export const calibrationSchema = z.strictObject({
  seriesId: z.string(),
  cases: count,
  /** Cases in which it was not exactly right. */
  wrong: z.array(z.strictObject({ case: z.string(), sentences: z.array(z.string()) })),
});

/** A time in which requests were dropped. */
const dropWindowSchema = z.strictObject({
  /** From the sending of the first that was dropped to the moment when the last was known to be, µs since run start. */
  fromUs: z.number(),
  toUs: z.number(),
  dropped: count,
  /** The timeline's events that opened and closed it, with their lines; null where none was near. */
  openedBy: momentSchema.nullable(),
  closedBy: momentSchema.nullable(),
});

const directSchema = z.strictObject({
  ratePerSecond: z.number(),
  due: count,
  dropped: count,
  outcomes: z.record(z.string(), count),
  longestWaitMs: milliseconds.nullable(),
});

/** The JSON Schema of verdict.json is made from this. */
export const verdictSchema = z.strictObject({
  schema: z.literal(1),
  experiment: z.string(),
  variant: z.string().nullable(),
  runId: z.string(),
  verdict: z.enum(['pass', 'fail', 'inconclusive', 'aborted']),
  reasons: z.array(z.string()),
  due: count,
  sent: count,
  outcomes: z.record(z.string(), count),
  byMethod: z.record(z.string(), tallySchema),
  byConnection: z.record(z.string(), tallySchema),
  /** By both: `POST kept`. */
  byKind: z.record(z.string(), tallySchema),
  dropped: count,
  retryingClient: retryingClientSchema,
  atRisk: z.strictObject({
    due: count,
    dropped: count,
    ratePercent: z.number().nullable(),
    byMethod: z.record(z.string(), z.strictObject({ due: count, dropped: count })),
  }),
  /** Answers of a version that was out of rotation, to requests sent after a newer one had answered. */
  stale: count,
  /** What the database says of the writes; null where it was not read. */
  writes: writesSchema.nullable(),
  /** A few requests straight to the site's own port; null where there was none. */
  direct: directSchema.nullable(),
  reconciliation: reconciliationSchema,
  /** Drops of which no witness other than the client shows a cause; null where there is no other witness. */
  unexplained: count.nullable(),
  dropWindows: z.array(dropWindowSchema),
  /** The controls that belong to it; null where it was made without them: then it is not for citing. */
  controls: z.array(controlSchema).nullable(),
  /** null where the run was made without controls, or is of a user's service. */
  calibration: calibrationSchema.nullable(),
  /** Answers the proxy made up itself, beside the errors in its own log; null where no proxy of ours was part of it. */
  proxyTries: z
    .strictObject({
      answers: count,
      /** Further tries. */
      retries: count,
      failedTries: count,
    })
    .nullable(),
  /** Ok answers that came much later than asked. */
  stalls: z.strictObject({
    aboveMs: milliseconds,
    count,
    /** Where each had waited longest. */
    byPlace: z.record(z.string(), count),
    /** Those that no restart can have caused. */
    outsideRestarts: count,
    outsideRows: z.array(z.number()),
  }),
  /** The way of ok answers between client and proxy, both directions, from three logs. */
  transit: z.strictObject({
    aboveMs: milliseconds,
    longestMs: milliseconds.nullable(),
    /** Above `aboveMs`: the proxy, or the machine, stood still. */
    slow: count,
    firstSlowRow: z.number().nullable(),
  }),
  /** Restarts that count: those under which the load was on time, and those that dropped something. */
  restarts: count,
  /** Restarts that were voided and dropped nothing: no evidence either way. */
  voidRestarts: count,
  badRestarts: count,
  /** Upper end of the exact 95 % bound on the share of bad restarts; null when there was no restart. */
  badRestartsUpper95: z.number().nullable(),
  badRestartsInterval95: z.tuple([z.number(), z.number()]).nullable(),
  /** Exact 95 % interval of the share of dropped requests, if requests were independent (they are not: they cluster). */
  dropRateInterval95: z.tuple([z.number(), z.number()]).nullable(),
  /**
   * The longest time between the completions of two consecutive ok answers, less the slot that lies between them
   * anyway: how long nobody answered, right to one slot (1/rate) either way.
   */
  gapMs: milliseconds.nullable(),
  affectedMs: milliseconds.nullable(),
  /** Longest latency of an ok answer from its due time, less the time that the request itself asked the site to take. */
  longestWaitMs: milliseconds.nullable(),
  longestOutageMs: milliseconds.nullable(),
  /** net.core.somaxconn of the server's network namespace, which caps every listen queue; null where it is not known. */
  somaxconn: count.nullable(),
  /** What the run could have seen, and what it takes to claim more, with 95 %. */
  power: z.strictObject({
    /** A time within a restart in which requests fail is met, if it is this long; null without a restart. */
    smallestWindowMs: milliseconds.nullable(),
    /** Clean restarts in a row that bound the share of clean ones to 99 %, and to 99.9 %. */
    restartsFor99Percent: count,
    restartsFor999Permille: count,
  }),
  perRestart: z.array(restartSchema),
  schedule: z.strictObject({
    ratePerSecond: z.number(),
    lagP50Ms: milliseconds.nullable(),
    lagP99Ms: milliseconds.nullable(),
    lagMaxMs: milliseconds.nullable(),
    achievedRate: z.number().nullable(),
    unsent: count,
    local: count,
  }),
  predicted: z.strictObject({
    dropped: z.number().nullable(),
    /** Least and greatest over what is not known: where in its interval the proxy's check ticks. */
    range: z.tuple([z.number(), z.number()]).nullable(),
    formula: z.string(),
    differencePercent: z.number().nullable(),
  }),
  expectations: z.array(
    z.strictObject({
      what: z.string(),
      expected: z.string(),
      measured: z.string(),
      met: z.boolean(),
      because: z.string(),
    }),
  ),
  witnesses: z.strictObject({
    /** null where the run has no proxy of ours. */
    proxy: z
      .strictObject({
        arrived: count,
        ledgerSent: count,
        missing: count,
        extra: count,
        repeated: count,
        disagreeing: count,
      })
      .nullable(),
    kernel: z.record(z.string(), z.number()),
  }),
  /** sha256, so that a report can be told to be of these: the experiment as it ran, and the ledger's file. */
  hashes: z.strictObject({ experiment: z.string(), ledger: z.string() }),
  citation: z.string(),
});

/** verdict.json. */
export type Verdict = z.infer<typeof verdictSchema>;
/** The calibration within a verdict. */
export type Calibration = z.infer<typeof calibrationSchema>;
/** A control within a verdict. */
export type ControlVerdict = z.infer<typeof controlSchema>;
/** One restart within a verdict. */
export type RestartVerdict = z.infer<typeof restartSchema>;
/** What the witnesses say of each row. */
export type Reconciliation = z.infer<typeof reconciliationSchema>;
/** What became of the writes. */
export type WritesVerdict = z.infer<typeof writesSchema>;
/** Counts of one part of the load. */
export type Tally = z.infer<typeof tallySchema>;
