/** The parts of a verdict, field by field: each says what it is, for the JSON Schema. */
import { z } from 'zod';
import { holdKinds } from '../../experiment/hold.ts';
import { holdSteps } from '../service/hold-steps.ts';

/** A count of things. */
export const count = z.number().int().nonnegative();
const milliseconds = z.number();
/** A moment, in microseconds since run start. */
const microseconds = z.number();
/** The same where it may not be known; the field says what null means. */
export const countOrNull = count.nullable();
export const msOrNull = milliseconds.nullable();
export const numberOrNull = z.number().nullable();
export const intervalOrNull = z.tuple([z.number(), z.number()]).nullable();
/** Outcomes, counted by name. */
export const outcomes = z.record(z.string(), count);
/** What a run comes to. */
export const verdictKind = z.enum(['pass', 'fail', 'inconclusive', 'aborted']);

/** Counts of one part of the load. */
export const tallySchema = z.strictObject({
  due: count.describe('Requests whose moment came, by the schedule.'),
  sent: count.describe('Of them, those that the generator wrote.'),
  dropped: count.describe('Due and sent, without a complete, expected answer.'),
  outcomes: outcomes.describe('How many ended in which way; each due request has exactly one outcome.'),
});

/**
 * What a client that sends idempotent requests again (as RFC 9110, section 9.2.2, lets it) would have seen: computed
 * from the rows, never sent. Sent again would have been each GET that died on a connection used before, with no byte
 * of its answer seen; whether the second try would have been answered nobody knows, so this is the best case.
 */
export const retryingClientSchema = z.strictObject({
  resent: count.describe('GETs that died on a connection used before, with no byte of their answer seen.'),
  droppedAtBest: count.describe('Drops that would be left, had each second try been answered.'),
});

/** What came of keeping connections, where nothing restarted. */
export const keptReuseSchema = z.strictObject({
  answered: count.describe(
    'Answers to requests on kept connections, due outside of the at-risk time of every restart.',
  ),
  reused: count.describe('Of them, those on a connection used before; all others had to open one.'),
});

/** One restart. */
export const restartSchema = z.strictObject({
  restart: z.number().int().positive().describe('Its number, counted over all sites, from 1.'),
  site: z.string().optional().describe('Of several sites: the one that was restarted.'),
  deploy: z.number().int().positive().optional().describe('Of several sites: the deploy that it is part of, from 1.'),
  deployBeginUs: microseconds.describe('When the deploy began, µs since run start.'),
  siteBeginUs: microseconds
    .nullable()
    .optional()
    .describe('Of several sites: when the deploy came to this one, µs since run start; null: not seen.'),
  sigtermUs: microseconds.nullable().describe('SIGTERM reached the old process, µs since run start; null: not seen.'),
  acceptStoppedUs: microseconds.nullable().describe('The old process accepted no more, µs since run start.'),
  acceptingUs: microseconds.nullable().describe('The new process accepted, µs since run start.'),
  readyUs: microseconds.nullable().describe('The new process called itself ready, µs since run start.'),
  rollBackUs: microseconds.optional().describe('Of a bad release: when it began to be taken back, µs since run start.'),
  restoredAfterMs: msOrNull
    .optional()
    .describe(
      'Of a bad release: from then until a process accepted again, ms; 0 where one did all the while; null: none did.',
    ),
  outageMs: msOrNull.describe(
    'The outage window: from `acceptStoppedUs` to `acceptingUs`, ms; where this restart’s own process never accepted, ' +
      'to the next that did, or to the end of the load. null: unknown, since nobody saw the old process stop.',
  ),
  outageEnded: z
    .boolean()
    .nullable()
    .default(null)
    .describe('Did a process accept again before the load ended? null: unknown.'),
  dueInOutage: countOrNull.describe('Requests due in that window; null where the window is unknown.'),
  droppedInRestart: count.describe('Requests dropped by this restart.'),
  droppedByKind: z.record(z.string(), count).describe('Of them, by method and connection: `POST kept`.'),
  inFlightAtSigterm: countOrNull.describe(
    'Requests under way at SIGTERM; null where nobody saw it, as in a service of your own.',
  ),
  longestWaitMs: msOrNull.describe(
    'Longest wait for an ok answer among the requests due since the deploy began, ms; null: no ok answer.',
  ),
  voided: z
    .boolean()
    .describe('A request left too late in its at-risk time: the restart is void, unless it dropped something.'),
  predictedDropped: numberOrNull.describe('Drops that timeline and options alone predict.'),
  expectedQueue: numberOrNull.describe(
    "Connections that should wait in the listen queue at the window's end, at most as many as it admits " +
      '(the shorter of Backlog= and somaxconn, and one more); null where none can queue, or some process accepts all the time.',
  ),
  longestQueue: numberOrNull.describe(
    'The most that were seen to wait there, sampled every 10 ms; null where nobody looked.',
  ),
});

const riskSchema = z.strictObject({
  due: count.describe('Requests due.'),
  dropped: count.describe('Of them, dropped.'),
});

/** One of several sites: what the verdict says of all of them, of this one. */
export const siteSchema = tallySchema.extend({
  site: z.string().describe('Its name.'),
  byMethod: z.record(z.string(), tallySchema).describe('The same by method.'),
  atRisk: riskSchema.describe('Requests due while one of its restarts could have dropped them.'),
  restarts: count.describe('Its restarts that count.'),
  badRestarts: count.describe('Its restarts that dropped something.'),
  badRestartsUpper95: numberOrNull.describe('Upper end of the exact 95 % bound; null when there was none.'),
  gapMs: msOrNull.describe('Its longest silence, ms; null: no request to it was sent.'),
  longestWaitMs: msOrNull.describe('Longest wait for one of its ok answers, ms; null: there was none.'),
  longestOutageMs: msOrNull.describe('Its longest outage window, ms; null: none was seen.'),
  predicted: z
    .strictObject({
      dropped: numberOrNull.describe('Drops; null where nothing predicts them.'),
      formula: z.string().describe('How it was reckoned, in words.'),
    })
    .describe('What timeline and options alone predict of it.'),
  writes: z
    .strictObject({
      acknowledged: count.describe('Acknowledged: 2xx arrived.'),
      failed: count.describe('Surely not applied.'),
      indeterminate: count.describe('Neither.'),
      lost: count.describe('Acknowledged, and not in its database.'),
      early: count.describe('Acknowledged, and written only after the site had answered.'),
      misattributed: count.describe('Failed, and in its database.'),
      duplicated: count.describe('More than once in its database.'),
      unexpected: count.describe('In its database, and never sent to it.'),
    })
    .nullable()
    .describe('What its database says of its writes; null where it was not read.'),
});

/** One request of a mix. */
export const requestSchema = tallySchema.extend({
  request: z.string().describe('Its name.'),
  method: z.string().describe('Its method.'),
  path: z.string().describe('Its path, without secrets.'),
  missed: z.record(z.string(), count).describe('Wrong answers by the expectation that they miss.'),
  waitP50Ms: msOrNull.describe('Median wait for an ok answer, ms; null: there was none.'),
  waitP99Ms: msOrNull.describe('The 99th percentile, ms.'),
  longestWaitMs: msOrNull.describe('The longest, ms.'),
});

const examplesSchema = z.partialRecord(
  z.enum(['lost', 'early', 'altered', 'duplicated', 'misattributed', 'unexpected']),
  z.array(z.string()),
);

const busySchema = z.strictObject({
  refused: count.describe('Writes that SQLite refused (SQLITE_BUSY).'),
  shortestRefusalMs: msOrNull.describe('How long a refused write had waited at least, ms.'),
  longestRefusalMs: msOrNull.describe('And at most, ms.'),
  waits: count.describe('Waits for the lock above 5 ms, answered or not.'),
  longestWaitMs: milliseconds.describe('The longest wait for the lock, ms.'),
});

/** What the client was told of its writes, beside what the database held. */
export const writesSchema = z.strictObject({
  acknowledged: count.describe('A 2xx arrived.'),
  failed: count.describe('Surely not applied.'),
  indeterminate: count.describe('Nobody can know from the answer.'),
  recovered: count.describe('Indeterminate, and found in the database.'),
  lost: count.describe('Acknowledged, and not in the database.'),
  early: countOrNull.describe(
    'Acknowledged, and written only after the site had answered; null where nobody stamps that.',
  ),
  altered: countOrNull
    .default(0)
    .describe('In the database with another text than was sent; null where the text is not read.'),
  duplicated: countOrNull.describe('More than once in the database; null where a URL was asked, which does not tell.'),
  misattributed: count.describe('Failed, and in the database.'),
  unexpected: count.describe('In the database, and never sent.'),
  examples: examplesSchema.describe("Of the writes' ids, some to look at."),
  integrity: z.string().nullable().describe("What SQLite's integrity_check said; null of another store."),
  busy: busySchema.nullable().describe("Writes that met the database's lock, from the site's log; null without one."),
});

/** Ledger, proxy's log and site's log beside each other, by request id. */
export const reconciliationSchema = z.strictObject({
  rows: count.describe('Rows of the ledger.'),
  disagreeing: count.describe('Rows of which something does not agree.'),
  disagreements: z
    .array(
      z.strictObject({
        seq: z.number().describe("The row's number in the ledger."),
        what: z.string().describe('What does not agree.'),
      }),
    )
    .describe('Some of them, row by row.'),
  causes: z.record(z.string(), count).describe('Dropped rows by cause.'),
  examples: z
    .record(
      z.string(),
      z.strictObject({
        seq: z.number().describe("The row's number in the ledger."),
        file: z.string().optional().describe("The witness's file, within the run's folder."),
        line: z.number().optional().describe('The line in it, from 1.'),
        said: z.string().optional().describe('What that line says, where a service of your own has such a witness.'),
      }),
    )
    .describe('Of each cause a row, and the line of a witness other than the client that shows it.'),
  unexplained: count.describe('Dropped rows without a cause.'),
  unexplainedRows: z.array(z.number()).describe('Some of them, by their numbers.'),
});

const momentSchema = z.strictObject({
  kind: z.string().describe('What happened: `accept-stopped`, `check-down`, ….'),
  site: z.string().optional().describe('Of several sites: the one that it is about; left out where it is about all.'),
  atUs: microseconds.describe('When, µs since run start.'),
  line: count.describe('Its line in timeline.ndjson, from 1.'),
});

/** A run without the restart, or without the mechanism, on the same lab. */
export const controlSchema = z.strictObject({
  role: z.enum(['C0', 'C+']).describe('C0: no restart, must drop nothing. C+: the mechanism off, must drop.'),
  name: z.string().describe('Experiment and variant: `E0`, `E5 own-port`.'),
  because: z.string().describe('Why the run says nothing without it.'),
  runId: z.string().describe("The control's own run."),
  verdict: verdictKind.describe('Its verdict.'),
  dropped: count.describe('What it dropped.'),
  due: count.describe('Of so many due requests.'),
  badRestarts: count.describe('Its restarts that dropped something.'),
  restarts: count.describe('Of so many.'),
  ledger: z.string().describe('sha256 of its ledger.'),
  holds: z.boolean().describe('Did it come out as it must?'),
});

/** The instrument against servers that fail in known ways, on the machine that ran it. */
export const calibrationSchema = z.strictObject({
  seriesId: z.string().describe('The calibration.'),
  cases: count.describe('Cases that were tried.'),
  wrong: z
    .array(
      z.strictObject({
        case: z.string().describe('The case.'),
        sentences: z.array(z.string()).describe('What was wrong in it.'),
      }),
    )
    .describe('Cases in which the instrument was not exactly right.'),
});

/** A time in which requests were dropped. */
export const dropWindowSchema = z.strictObject({
  fromUs: microseconds.describe(
    'The first request that was dropped was sent, µs since run start; of a service of your own not before the event ' +
      'that opened it.',
  ),
  toUs: microseconds.describe(
    'The last was known to be dropped, µs since run start; one that hung counts where it was sent.',
  ),
  dropped: count.describe('Requests dropped in it.'),
  openedBy: momentSchema.nullable().describe('The event of the timeline that opened it; null where none was near.'),
  closedBy: momentSchema.nullable().describe('The event that closed it; null where none was near.'),
});

/** What a probe of the site’s own port saw. */
export const directSchema = z.strictObject({
  ratePerSecond: z.number().describe('Requests a second.'),
  due: count.describe('Requests whose moment came.'),
  dropped: count.describe('Of them, without a complete, expected answer.'),
  outcomes: outcomes.describe('How many ended in which way.'),
  longestWaitMs: msOrNull.describe('Longest wait for an ok answer, ms.'),
});

/** Answers that came late. */
export const stallsSchema = z.strictObject({
  aboveMs: milliseconds.describe('An ok answer this much later than asked is a stall, ms.'),
  count: count.describe('Stalls in all.'),
  byPlace: z.record(z.string(), count).describe('Where each had waited longest.'),
  outsideRestarts: count.describe('Those that no restart can have caused.'),
  outsideRows: z.array(z.number()).describe('Some of them, by their numbers.'),
  medianInSiteMs: msOrNull
    .default(null)
    .describe(
      'How long the site took for an ok answer at the median, less what was asked for, whole ms; null: unknown.',
    ),
});

/** How long answers were on their way. */
export const transitSchema = z.strictObject({
  aboveMs: milliseconds.describe('A way that takes longer is slow, ms.'),
  longestMs: msOrNull.describe('The longest, ms.'),
  slow: count.describe('Slow ones: the proxy, or the machine, stood still.'),
  firstSlowRow: numberOrNull.describe('The first of them, by its number.'),
});

/** Answers the proxy made up itself, beside the errors in its own log. */
export const proxyTriesSchema = z.strictObject({
  answers: count.describe('Answers that the proxy made up after a backend had failed it.'),
  retries: count.describe('Further tries.'),
  failedTries: count.describe('Failed tries in its own log; must equal the two others together.'),
});

/** The proxy's access log against the ledger. */
export const proxyWitnessSchema = z.strictObject({
  arrived: count.describe("Lines of this run in the proxy's access log."),
  ledgerSent: count.describe('Requests that the client wrote.'),
  missing: count.describe('Written, answered by the proxy, and not in its log.'),
  extra: count.describe('In the log, and never written.'),
  repeated: count.describe('In the log more than once.'),
  disagreeing: count.describe('With another answer in the log than the client saw.'),
});

/** The requests that a restart could have dropped. */
export const atRiskSchema = z.strictObject({
  due: count.describe('Requests due in that time.'),
  dropped: count.describe('Of them, dropped.'),
  ratePercent: numberOrNull.describe('The share, in percent; null without a restart.'),
  byMethod: z.record(z.string(), riskSchema).describe('The same by method.'),
});

/** What a run could have seen. */
export const powerSchema = z.strictObject({
  smallestWindowMs: msOrNull.describe(
    'A time within a restart in which requests fail is met, if it is this long, ms; null without a restart.',
  ),
  restartsFor99Percent: count.describe('Clean restarts in a row that bound the share of clean ones to 99 %.'),
  restartsFor999Permille: count.describe('The same for 99.9 %.'),
});

/** How punctual the load was. */
export const scheduleSchema = z.strictObject({
  ratePerSecond: z.number().describe('Requests a second, as asked.'),
  lagP50Ms: msOrNull.describe('How late requests left, at the median, ms.'),
  lagP99Ms: msOrNull.describe('At the 99th percentile, ms.'),
  lagMaxMs: msOrNull.describe('At most, ms.'),
  achievedRate: numberOrNull.describe('Requests a second, as sent.'),
  unsent: count.describe('Requests for which no connection was free in time.'),
  local: count.describe("Requests that failed by the generator's own fault."),
});

/** What the mechanism predicts. */
export const predictedSchema = z.strictObject({
  dropped: numberOrNull.describe('Drops; null where nothing predicts them.'),
  range: intervalOrNull.describe(
    "Least and greatest over what is not known: where in its interval the proxy's check ticks.",
  ),
  formula: z.string().describe('How it was reckoned, in words.'),
  differencePercent: numberOrNull.describe('What was measured, against it, in percent.'),
});

const holdEndsSchema = {
  ended: count.describe('Connections that the service ended, whenever it did.'),
  byEnding: z.record(z.string(), count).describe('Of them by how it ended (docs/data.md: holds.ndjson.gz).'),
  cut: count.describe('Of them, those that were cut in the middle of a message or answer.'),
  closeCodes: z.record(z.string(), count).describe('Close frames by their code; 1005: without one.'),
  byStep: z
    .partialRecord(z.enum(holdSteps), count)
    .describe(
      'By when they ended: before the command; after it began, while the service still accepted; while it refused; after it ' +
        'answered again; after the end of the command.',
    ),
  longestBackMs: msOrNull.describe(
    'The longest until one was open again, ms, back-off of the client (0.1 to 1 s) included; null: none was.',
  ),
  notBack: count.describe('Those that were not open again before the load ended.'),
};

/** Connections that were held open beside the load. */
export const holdsSchema = z.strictObject({
  kind: z.enum(holdKinds).describe('What was held.'),
  path: z.string().describe('Path and query of their requests.'),
  connections: count.describe('How many were to be open at a time.'),
  lives: count.describe('How often one of them was opened, or tried to.'),
  opened: count.describe('Of them, those that came to be open.'),
  messages: count.describe('Events or web socket messages that came.'),
  bytes: count.describe('Bytes that came.'),
  ...holdEndsSchema,
  failedTries: z
    .record(z.string(), count)
    .describe('Tries that did not come to be open, by why: `refused`, `status 503`.'),
  perRestart: z
    .array(
      z.strictObject({
        restart: z.number().int().positive().describe('Its number, from 1.'),
        open: count.describe('Connections that were open when the command began.'),
        ...holdEndsSchema,
      }),
    )
    .describe('Restart by restart: connections that ended since its command began, and before the next one’s did.'),
});

/** A row of what was expected. */
export const expectationSchema = z.strictObject({
  what: z.string().describe('The figure.'),
  expected: z.string().describe('What it must be.'),
  measured: z.string().describe('What it was.'),
  met: z.boolean().describe('Is it so? Where that cannot be told (`known`), nothing was missed, and this is true.'),
  known: z.literal(false).optional().describe('Too few restarts tell whether it is so.'),
  because: z.string().describe('What makes one expect it.'),
  inShort: z.string().optional().describe('If it was missed: the verdict in a few words.'),
  certain: z
    .literal(true)
    .optional()
    .describe('It was missed, and nothing that the generator or the machine did can have caused that.'),
});

/** What systemd's journal says of a service of the user's. */
export const journalSchema = z.strictObject({
  units: z.array(z.string()).describe('The units that were asked for; phases are those of the first.'),
  lines: count.describe("systemd's words about them while the load went on."),
  restartsByItself: count.describe('How often systemd started a unit again by itself (Restart=).'),
  phases: z
    .array(
      z.strictObject({
        restart: count.describe('Its number, from 1.'),
        drainingMs: msOrNull.describe('From SIGTERM to the exit, ms; null: not known.'),
        downMs: msOrNull.describe('From the exit to the start of the new process, ms; null: not known.'),
        warmingMs: msOrNull.describe(
          'From its start until it was ready, else until the load had an answer again, ms; null: not known.',
        ),
      }),
    )
    .describe('How long the phases of each restart took.'),
  events: z
    .array(
      z.strictObject({
        restart: count.describe('The restart that had begun last; 0 before the first.'),
        atUs: microseconds.describe('When journald had the line, µs since run start.'),
        at: z.string().describe('The same by the wall clock.'),
        kind: z.string().describe('The event in timeline.ndjson; `sigterm` is inferred from “Stopping”.'),
        said: z.string().describe('What systemd said.'),
        line: count.describe('Its line in timeline.ndjson, from 1.'),
      }),
    )
    .describe('The first 200 events.'),
});

/** What the access logs of a service of the user's say. */
export const serverLogSchema = z.strictObject({
  logs: z
    .array(
      z.strictObject({
        path: z.string().describe('The file, as it was asked for.'),
        formats: z.array(z.string()).describe('Who writes such lines, told from the lines.'),
        lines: count.describe('Lines that were written to it while the load went on.'),
        ours: count.describe('Of them, those of this load; all others were not kept.'),
        notUnderstood: count.describe('Lines of no known form.'),
        joined: z
          .enum(['id', 'time', 'too-coarse', 'nothing'])
          .describe(
            'id: certain. time: likely. too-coarse: no ids, and stamps that many requests share. Of the last two nothing is told.',
          ),
        drops: z.record(z.string(), count).describe('Dropped requests by what the log says of them.'),
        examples: z
          .record(
            z.string(),
            z.strictObject({
              seq: z.number().describe("The row's number in the ledger."),
              line: z
                .number()
                .optional()
                .describe('Its line in witnesses/server-log.ndjson.gz; left out where it has none.'),
            }),
          )
          .describe('Of each the first row.'),
        twice: count.describe('Requests that it has several times: somebody tried again.'),
        missing: count.describe('Ok answers that it does not have; without ids: of which no line could be.'),
        differing: count.describe('Ok answers that it has with another status.'),
      }),
    )
    .describe('Log by log.'),
  processedWrites: z
    .strictObject({
      certain: count.describe('By the request’s id.'),
      likely: count.describe('By time.'),
    })
    .describe('Dropped POSTs and PATCHes that a log shows as answered 200 to 299: a retry would have doubled them.'),
});
