/** The verdict of a run, as verdict.json holds it and `--json` prints it. */
import { z } from 'zod';
import { failureKinds } from '../../run/failure-kind.ts';
import * as part from './verdict-parts.ts';
import { count, countOrNull, intervalOrNull, msOrNull, numberOrNull, outcomes } from './verdict-parts.ts';

/** verdict.json; docs/verdict.schema.json is made from this, descriptions and all. */
export const verdictSchema = z.strictObject({
  schema: z.literal(1).describe('Version of this format.'),
  experiment: z.string().describe('`E5`, or `measure` for a service of your own.'),
  variant: z.string().nullable().describe('Name of the variant; null for the experiment itself.'),
  runId: z.string().describe('UTC and four hex digits: the name of the run’s folder.'),
  verdict: part.verdictKind.describe(
    'pass: expectations met. fail: one was missed. inconclusive: the run cannot be trusted. aborted: cut short. ' +
      'Neither of the last two is ever a pass.',
  ),
  headline: z.string().default('').describe('What a reader takes away first, in a few words: `drops, as predicted`.'),
  reasons: z
    .array(z.string())
    .describe('Why it is no pass. fail: what was missed, then what was doubted; inconclusive: the other way round.'),
  notes: z.array(z.string()).default([]).describe('What a reader must know besides, though it fails nothing.'),
  due: count.describe('Requests whose moment came, by the schedule.'),
  sent: count.describe('Of them, those that the generator wrote.'),
  outcomes: outcomes.describe('How many ended in which way; each due request has exactly one outcome.'),
  byMethod: z.record(z.string(), part.tallySchema).describe('The same by method.'),
  byConnection: z.record(z.string(), part.tallySchema).describe('The same by connection: `kept` or `new`.'),
  keptReuse: part.keptReuseSchema
    .optional()
    .describe('Of a service of your own: how many requests on kept connections did go on a connection used before.'),
  byKind: z.record(z.string(), part.tallySchema).describe('By both: `POST kept`.'),
  dropped: count.describe('Due and sent, without a complete, expected answer.'),
  provenDropped: countOrNull
    .default(null)
    .describe('Of them, those that no lateness of generator or machine can have caused; null: not worked out.'),
  failureKinds: z
    .partialRecord(z.enum(failureKinds), count)
    .default({})
    .describe('Failed requests by kind, from what the client itself saw (docs/glossary.md).'),
  withoutLength: count
    .default(0)
    .describe('Ok answers whose end was the close of the connection: had one been cut, nobody could tell.'),
  droppedOutsideRestarts: countOrNull
    .default(null)
    .describe('Dropped requests that belong to no restart, as those before the first; null: not worked out.'),
  retryingClient: part.retryingClientSchema.describe(
    'What a client that sends idempotent requests again (RFC 9110, section 9.2.2) would have seen: computed from the ' +
      'rows, never sent; the best case.',
  ),
  atRisk: part.atRiskSchema.describe(
    'Requests due from the deploy until the new process is ready and, where there is a check, seen by it twice; of a ' +
      'service of your own, from the begin of the command until it has ended and the service answers steadily. To the ' +
      'end of the load where none was seen.',
  ),
  stale: countOrNull.describe(
    'Answers of a version that was out of rotation, to requests sent after a newer one had answered; null where ' +
      'answers do not name the version that gave them.',
  ),
  writes: part.writesSchema
    .nullable()
    .describe('What the database says of the writes; null where it was not read, or cannot be.'),
  direct: part.directSchema
    .nullable()
    .describe("A few requests straight to the site's own port; null where there was none."),
  reconciliation: part.reconciliationSchema.describe('The ledger beside the logs of proxy and site, row by row.'),
  unexplained: countOrNull.describe(
    'Drops of which no witness other than the client shows a cause; null where there is no other witness.',
  ),
  dropWindows: z
    .array(part.dropWindowSchema)
    .describe('Times in which requests were dropped; drops over 1 s apart are two.'),
  controls: z
    .array(part.controlSchema)
    .nullable()
    .describe('The controls that belong to it; null where it was made without them: then it is not for citing.'),
  calibration: part.calibrationSchema
    .nullable()
    .describe("The instrument's calibration; null where the run was made without controls, or is of a user's service."),
  proxyTries: part.proxyTriesSchema
    .nullable()
    .describe("The proxy's two logs beside each other; null where no proxy of ours was part of it."),
  stalls: part.stallsSchema.describe('Ok answers that came much later than asked.'),
  transit: part.transitSchema.describe(
    'The way of ok answers between client and proxy, both directions, from three logs.',
  ),
  restarts: count.describe('Restarts that count: those under which the load was on time, and those that dropped.'),
  voidRestarts: count.describe('Restarts that were voided and dropped nothing: no evidence either way.'),
  badRestarts: count.describe('Restarts that dropped something.'),
  badRestartsUpper95: numberOrNull.describe(
    'Upper end of the exact 95 % bound on the share of bad restarts; null when there was no restart.',
  ),
  badRestartsInterval95: intervalOrNull.describe(
    'The exact 95 % interval of that share (Clopper and Pearson); of a zero one-sided.',
  ),
  dropRateInterval95: intervalOrNull.describe(
    'Exact 95 % interval of the share of dropped requests, if requests were independent: they cluster.',
  ),
  gapMs: msOrNull.describe(
    'Silence: the longest stretch of the schedule in which no request due in it was answered as expected, ms, right ' +
      'to one slot (1/rate). It lies between the first due request and the last; an answer to a request that was due ' +
      'before it does not end it; the shortest latency of the load is taken off each answer. The whole schedule where ' +
      'none was answered; null: unknown, since no request was sent.',
  ),
  affectedMs: msOrNull.describe(
    'From the due time of the first dropped request to that of the last, ms; null: none was dropped.',
  ),
  longestWaitMs: msOrNull.describe(
    'Longest latency of an ok answer from its due time, less the time that the request itself asked for, ms; null: ' +
      'there was no ok answer.',
  ),
  longestOutageMs: msOrNull.describe('The longest outage window of a restart, ended or not, ms; null: none was seen.'),
  somaxconn: countOrNull.describe(
    "net.core.somaxconn of the server's network namespace, which caps listen queues; null: not known.",
  ),
  power: part.powerSchema.describe('What the run could have seen, and what it takes to claim more, with 95 %.'),
  perRestart: z.array(part.restartSchema).describe('Restart by restart.'),
  perSite: z
    .array(part.siteSchema)
    .optional()
    .describe('Site by site, where there are several; they add up to the whole.'),
  perRequest: z
    .array(part.requestSchema)
    .optional()
    .describe('Request by request, where the load is a mix that the user wrote; they add up to the whole.'),
  holds: part.holdsSchema
    .optional()
    .describe('Connections that were held open beside the load; left out where none was.'),
  schedule: part.scheduleSchema.describe('Whether the load was the one that was asked for.'),
  predicted: part.predictedSchema.describe('What timeline and options alone predict, without the ledger.'),
  expectations: z.array(part.expectationSchema).describe('What was expected, and whether it was met.'),
  witnesses: z
    .strictObject({
      proxy: part.proxyWitnessSchema
        .nullable()
        .describe("The proxy's access log against the ledger; null where the run has no proxy of ours."),
      kernel: z.record(z.string(), z.number()).describe("Change of the kernel's counters over the load."),
    })
    .describe('Independent records of the same run.'),
  journal: part.journalSchema
    .optional()
    .describe("systemd's journal of a service of your own, where --journal asked for it."),
  serverLog: part.serverLogSchema
    .optional()
    .describe('What access logs of a service of your own say, where --access-log asked for it.'),
  hashes: z
    .strictObject({
      experiment: z.string().describe('Of the experiment as it ran, options applied.'),
      ledger: z.string().describe("Of the ledger's file."),
    })
    .describe('sha256, so that a report can be told to be of these.'),
  citation: z.string().describe('The one line that goes into a document.'),
});

/** verdict.json. */
export type Verdict = z.infer<typeof verdictSchema>;

/** Did the run say something? One that is inconclusive, or was cut short, has figures that nobody may rely on. */
export function isConclusive({ verdict }: Pick<Verdict, 'verdict'>): boolean {
  return verdict === 'pass' || verdict === 'fail';
}

/** A restart under which the load was late is no evidence where it dropped nothing. */
export function isVoid({ voided, droppedInRestart }: Pick<RestartVerdict, 'voided' | 'droppedInRestart'>): boolean {
  return voided && droppedInRestart === 0;
}

/** Drops of each restart that counts. */
export function dropsByRestart({ perRestart }: { readonly perRestart: readonly RestartVerdict[] }): number[] {
  return perRestart.filter((restart) => !isVoid(restart)).map(({ droppedInRestart }) => droppedInRestart);
}

/** The calibration within a verdict. */
export type Calibration = z.infer<typeof part.calibrationSchema>;
/** A control within a verdict. */
export type ControlVerdict = z.infer<typeof part.controlSchema>;
/** One restart within a verdict. */
export type RestartVerdict = z.infer<typeof part.restartSchema>;
/** One of several sites within a verdict. */
export type SiteVerdict = z.infer<typeof part.siteSchema>;
/** One request of a mix within a verdict. */
export type RequestVerdict = z.infer<typeof part.requestSchema>;
/** What the witnesses say of each row. */
export type Reconciliation = z.infer<typeof part.reconciliationSchema>;
/** What became of held connections. */
export type HoldsVerdict = z.infer<typeof part.holdsSchema>;
/** What became of the writes. */
export type WritesVerdict = z.infer<typeof part.writesSchema>;
/** Counts of one part of the load. */
export type Tally = z.infer<typeof part.tallySchema>;
