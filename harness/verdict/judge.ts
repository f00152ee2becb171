/** The verdict of a run, made from the files of the run alone: run.json, timeline, ledger, witnesses. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runFiles } from '../run/run-folder.ts';
import { greatestOf, sumOf, thousandth, toMs } from '../base/sums.ts';
import { present } from '../base/present.ts';
import { counted } from '../base/counted.ts';
import { addressText } from '../base/address-text.ts';
import { isOfOwnService } from '../run/tables.ts';
import { subjectOf, type RunRecord, type ServiceRun } from '../run/run-record.ts';
import { expectedQueue } from './predict/backends.ts';
import { citationLine, isHalfDone } from './citation.ts';
import { answerClaim, claimOf, powerOf } from './pool/claim.ts';
import { judgeControls } from './controls.ts';
import { readEvidence, type Evidence } from './evidence.ts';
import { doubtsOf, engineTroubles, noNewFailure, restartsText, withId, type Doubt } from './checks.ts';
import { checkExpectations, checkService, type Measured } from './expectations.ts';
import { withRestarts } from './count-sites.ts';
import { headlineOf } from './headline.ts';
import type { LedgerSummary } from './ledger-summary.ts';
import { exactInterval } from '../base/interval.ts';
import { ofSite, predictDrops } from './predict/predict.ts';
import type { Prediction } from './predict/prediction.ts';
import { outagesOf, type RestartWindow } from './restart-windows.ts';
import { keptReuseNote } from './service/kept-reuse.ts';
import { silentText } from './service/held-text.ts';
import { serverLogNotes } from './service/server-logs.ts';
import { dropsByRestart, type RestartVerdict, type Verdict } from './record/verdict.ts';
import { labDeadlineMs } from '../run/site-requests.ts';
import { lateAboveMs } from '../experiment/load-schedule.ts';

/** Reads a run's folder, writes its verdict.json and joined.ndjson.gz, and returns the verdict. */
export async function judgeRun(folder: string): Promise<Verdict> {
  const verdict = verdictOf(await readEvidence(folder));
  await writeFile(join(folder, runFiles.verdict), `${JSON.stringify(verdict, null, 2)}\n`);
  return verdict;
}

/** The verdict. Pure. */
export function verdictOf(evidence: Evidence): Verdict {
  const { run, ledger, stale, writes, direct, reconciliation, proxy, kernel, hashes, sites } = evidence;
  const { hasChanged, unchangedRestarts } = evidence;
  const subject = subjectOf(run);
  const prediction = predictDrops(run, evidence.windows);
  const perRestart = restartVerdicts(evidence, prediction);
  const measured = measuredOf(evidence, prediction, perRestart);
  const { restarts } = measured;
  const decided = decide(evidence, measured);
  const verdict = {
    schema: 1,
    experiment: subject.id,
    variant: run.kind === 'experiment' ? run.variant : null,
    runId: run.runId,
    verdict: decided.verdict,
    headline: '',
    reasons: decided.reasons,
    notes: notesOf(evidence),
    ...requestFigures(ledger, measured.proven.dropped, perRestart),
    keptReuse: evidence.keptReuse,
    stale,
    writes,
    direct,
    reconciliation,
    unexplained: run.kind === 'experiment' || hasOwnWitness(evidence) ? reconciliation.unexplained : null,
    dropWindows: evidence.dropWindows,
    controls: evidence.controls === null ? null : judgeControls(evidence.controls),
    calibration: evidence.calibration,
    proxyTries: evidence.proxyTries,
    ...evidence.waits,
    restarts,
    voidRestarts: evidence.windows.length - restarts,
    ...boundsOf(measured),
    gapMs: measured.gapMs,
    affectedMs: toMs(ledger.affectedUs),
    longestWaitMs: measured.longestWaitMs,
    longestOutageMs: measured.longestOutageMs,
    somaxconn: somaxconnOf(run),
    power: powerOf(restarts, subject.ratePerSecond / (sites?.length ?? 1)),
    perRestart,
    perSite: sites === null ? undefined : withRestarts(sites, perRestart, prediction.perSite),
    perRequest: evidence.requests === null ? undefined : [...evidence.requests],
    holds: evidence.holds?.verdict,
    schedule: scheduleOf(ledger, subject.ratePerSecond),
    predicted: predictedOf(prediction, measured.dropped),
    expectations: decided.expectations,
    witnesses: { proxy, kernel },
    journal: evidence.journal,
    serverLog: evidence.serverLog,
    hashes,
    citation: '',
  } satisfies Verdict;
  const headline = headlineOf({ ...verdict, doubts: decided.doubts, hasChanged, unchangedRestarts });
  return { ...verdict, headline, citation: citationLine({ ...verdict, headline }, run) };
}

function measuredOf(evidence: Evidence, prediction: Prediction, perRestart: readonly RestartVerdict[]): Measured {
  const { run, windows, ledger, stale, writes, direct, waits } = evidence;
  const { all } = ledger;
  const drops = dropsByRestart({ perRestart });
  return {
    due: all.due,
    dropped: all.dropped,
    proven: provenOf(evidence),
    restarts: drops.length,
    badRestarts: drops.filter((dropped) => dropped > 0).length,
    gapMs: toMs(ledger.silenceUs),
    longestWaitMs: toMs(ledger.longestWaitUs),
    longestOutageMs: greatestOf(perRestart.map(({ outageMs }) => outageMs)),
    longestApartMs: evidence.longestApartMs,
    predicted: prediction,
    ratePerSecond: subjectOf(run).ratePerSecond,
    isOwnService: isOfOwnService(run),
    outcomes: all.outcomes,
    byMethod: ledger.byMethod,
    stale,
    writes,
    direct,
    stalls: waits.stalls,
    heldUnsent: ledger.failureKinds['connections held'] ?? 0,
    cut: evidence.holds?.verdict.cut ?? 0,
    unplanned: evidence.unplanned.map(
      ({ site, atUs, what, line }) =>
        `${what}${evidence.sites === null ? '' : ` of ${site}`} at ${(atUs / 1e6).toFixed(3)} s (${runFiles.timeline}:${line})`,
    ),
    killed: needlesslyKilled(evidence),
    isNotBack: evidence.isNotBack,
    givenUp: windows.flatMap(({ restart, givenUpUs }) => (givenUpUs === null ? [] : [restart])),
    sitesHurt:
      evidence.sites === null ? Math.min(1, all.dropped) : evidence.sites.filter((of) => of.dropped > 0).length,
    sitesRestarted: new Set(windows.map(({ site }) => site)).size,
  };
}

function requestFigures(ledger: LedgerSummary, provenDropped: number, perRestart: readonly RestartVerdict[]) {
  const { all, atRisk } = ledger;
  return {
    due: all.due,
    sent: all.sent,
    outcomes: all.outcomes,
    byMethod: ledger.byMethod,
    byConnection: ledger.byConnection,
    byKind: ledger.byKind,
    dropped: all.dropped,
    provenDropped,
    failureKinds: ledger.failureKinds,
    withoutLength: ledger.withoutLength,
    droppedOutsideRestarts: all.dropped - sumOf(perRestart, ({ droppedInRestart }) => droppedInRestart),
    retryingClient: { resent: ledger.resendable, droppedAtBest: all.dropped - ledger.resendable },
    atRisk: { ...atRisk, ratePercent: atRisk.due === 0 ? null : thousandth((100 * atRisk.dropped) / atRisk.due) },
  } satisfies Partial<Verdict>;
}

/** The bad restarts, with their bounds, and that of the dropped requests. */
function boundsOf({ badRestarts, restarts, dropped, due }: Measured) {
  const badInterval = exactInterval(badRestarts, restarts) ?? null;
  return {
    badRestarts,
    badRestartsUpper95: badInterval?.[1] ?? null,
    badRestartsInterval95: badInterval,
    dropRateInterval95: exactInterval(dropped, due) ?? null,
  } satisfies Partial<Verdict>;
}

function scheduleOf({ all, lag, achievedRate }: LedgerSummary, ratePerSecond: number): Verdict['schedule'] {
  return {
    ratePerSecond,
    lagP50Ms: toMs(lag?.p50Us ?? null),
    lagP99Ms: toMs(lag?.p99Us ?? null),
    lagMaxMs: toMs(lag?.maxUs ?? null),
    achievedRate: achievedRate === null ? null : thousandth(achievedRate),
    unsent: all.outcomes['unsent'] ?? 0,
    local: all.outcomes['local'] ?? 0,
  };
}

function predictedOf({ dropped, range, formula }: Prediction, measured: number): Verdict['predicted'] {
  return {
    dropped: dropped === null ? null : thousandth(dropped),
    range: range === null ? null : [thousandth(range[0]), thousandth(range[1])],
    formula,
    differencePercent: dropped === null || dropped === 0 ? null : thousandth((100 * (measured - dropped)) / dropped),
  };
}

function claimDoubts(run: RunRecord, { badRestarts, restarts }: Measured): Doubt[] {
  const claim = claimOf(run);
  const answer = claim && answerClaim(claim, badRestarts, restarts);
  const id = 'too-few-restarts';
  return answer?.kind === 'too-few' ? [{ id, kind: 'claim', why: withId(answer.why, id) }] : [];
}

function decide(
  evidence: Evidence,
  measured: Measured,
): Pick<Verdict, 'verdict' | 'reasons' | 'expectations'> & { doubts: readonly Doubt[] } {
  const { run, engine } = evidence;
  const expectations =
    run.kind === 'experiment'
      ? checkExpectations(run.experiment.expect, measured)
      : checkService(run.service, claimOf(run), measured);
  // Of a run that was cut short nothing was to be expected.
  if (run.aborted !== null) {
    return {
      verdict: 'aborted',
      reasons: [withId(run.aborted, 'aborted'), ...engineTroubles(engine).map((why) => withId(why, 'container-ended'))],
      expectations,
      doubts: [],
    };
  }
  const doubts = [...doubtsOf(evidence), ...claimDoubts(run, measured)];
  const missed = expectations.filter(({ met }) => !met);
  const missedText = missed.map((row) =>
    withId(`Expected of ${row.what}: ${row.expected}; measured: ${row.measured}.`, 'expectation'),
  );
  const doubtText = doubts.map(({ why }) => why);
  // A failure that is certain stands, however late the machine was; only "nothing was lost" needs a punctual load. Nor
  // could more restarts take back what a service of the user's has dropped.
  const mayStand = ({ kind }: Doubt): boolean => kind === 'machine' || (kind === 'claim' && run.kind === 'measure');
  const isCertain = missed.some(({ certain }) => certain) && doubts.every(mayStand);
  if (doubts.length > 0 && !isCertain) {
    return { verdict: 'inconclusive', reasons: [...doubtText, ...missedText], expectations, doubts };
  }
  const beside = doubts.map(({ kind, why }) =>
    kind === 'machine' ? `The load was not on time, which does not explain this: ${why}` : why,
  );
  return { verdict: missed.length > 0 ? 'fail' : 'pass', reasons: [...missedText, ...beside], expectations, doubts };
}

/** Of a user's service: does anybody but the client tell why a request was dropped? */
function hasOwnWitness({ journal, serverLog }: Evidence): boolean {
  return journal !== undefined || serverLog?.logs.some(({ joined }) => joined === 'id') === true;
}

/** The same of a run in the lab. */
function labNotes({ run, ledger, directWithoutLength = 0 }: Evidence): string[] {
  if (!isOfOwnService(run) || ledger.withoutLength + directWithoutLength === 0) return [];
  return [
    'The service gives answers without a length: their end is the close of the connection, so that one which a restart cut ' +
      'cannot be told from a whole one, and counts as ok. With Content-Length, or in chunks (HTTP/1.1), it could.',
  ];
}

function notesOf(evidence: Evidence): string[] {
  const { run, windows, hasChanged, unchangedRestarts, ledger, serverLog, holds } = evidence;
  const { withoutLength, tlsError, all } = ledger;
  if (run.kind !== 'measure') return labNotes(evidence);
  const ok = all.outcomes['ok'] ?? 0;
  const where = windows.length > 1 ? ` in ${restartsText(unchangedRestarts, windows.length)}` : '';
  return present([
    ...run.notes,
    ...movedNotes(run, evidence),
    run.service.tls?.isInsecure === true &&
      'No certificate was checked (--insecure): whoever answered need not have been the service.',
    tlsError !== null &&
      (run.before?.example ?? null) === null &&
      `${counted(all.outcomes['tls'] ?? 0, 'request')} failed in the TLS handshake, the first with "${tlsError}": ` +
        'docs/measure.md says what to do.',
    withoutLength > 0 &&
      `${withoutLength} of ${ok} ok answers had no length: their end is the close of the connection, so ` +
        'that one which the deploy cut cannot be told from a whole one.',
    // Of a service that is never well its connections are no matter.
    ok > 0 && keptReuseNote(evidence.keptReuse),
    holds !== null && holds.silent.connections > 0 && silentText(holds.silent),
    ...serverLogNotes(run, serverLog),
    hasChanged === false &&
      !run.service.mustChange &&
      !isHalfDone(run) &&
      `Nothing of the service was seen to change while the command ran${where}: ${noNewFailure(all)}, no answer named ` +
        'another instance or version. A command that returns before its deploy has ended needs a longer --settle.',
  ]);
}

const mostAddresses = 5;

/** Where the requests went, if the name of the service did not lead to one address all the time. */
function movedNotes({ service, movedTo }: ServiceRun, { addresses }: Pick<Evidence, 'addresses'>): string[] {
  const moved = addresses.filter(({ address }) => address !== null);
  const [first] = moved;
  const { hostname } = new URL(service.url);
  if (first === undefined) {
    if (movedTo === undefined) return [];
    return [
      `${hostname} has another address now, ${movedTo}; every request went to ${addressText(service.address)}, which it had at first.`,
    ];
  }
  const stayed = addresses.find(({ address }) => address === null)?.requests ?? 0;
  const counts = moved
    .slice(0, mostAddresses)
    .map(({ address, requests }) => `${requests} to ${addressText(address ?? '')}`);
  const more = moved.length > mostAddresses ? `, and others to ${moved.length - mostAddresses} more addresses` : '';
  return [
    `${hostname} led elsewhere while the load went on: ${counted(stayed, 'request')} went to ${addressText(service.address)}, its first address, ` +
      `${counts.join(', ')}${more}; the first of them ${(first.fromUs / 1e6).toFixed(1)} s into the load.`,
  ];
}

/** A deadline that is this much longer than the generator ever stood still passed for no fault of its own. */
const deadlineToLag = 10;

function provenOf({ run, ledger }: Evidence): { dropped: number; badRestarts: number } {
  const deadlineMs = run.kind === 'experiment' ? labDeadlineMs : run.service.timeoutMs;
  const isPunctual = (ledger.lag?.maxUs ?? 0) * deadlineToLag < deadlineMs * 1000;
  const proven = (of: { dropped: number; droppedIfLate: number }): number =>
    isPunctual ? of.dropped : of.dropped - of.droppedIfLate;
  return {
    dropped: proven({ dropped: ledger.all.dropped, droppedIfLate: ledger.droppedIfLate }),
    badRestarts: ledger.perRestart.filter((counts) => proven(counts) > 0).length,
  };
}

/** Restarts whose old process did not end in its TimeoutStopSec, into which its drain fits. */
function needlesslyKilled({ run, windows }: Evidence): number[] {
  if (run.kind !== 'experiment') return [];
  const { app, unit, service } = run.experiment;
  if (service === undefined && app.graceMs + app.shutdownTimeoutMs >= unit.timeoutStopSec * 1000) return [];
  return windows.filter(({ killedUs }) => killedUs !== null).map(({ restart }) => restart);
}

function restartVerdicts({ run, windows, ledger, sites }: Evidence, prediction: Prediction): RestartVerdict[] {
  const outages = outagesOf(windows, run.durationMs * 1000);
  return windows.map((window, index) => {
    const counts = ledger.perRestart[index];
    const outage = outages[index] ?? null;
    const predicted = prediction.perRestart[index] ?? null;
    const queue =
      run.kind === 'experiment' ? expectedQueue(ofSite(run.experiment, window.site), window, somaxconnOf(run)) : null;
    return {
      restart: window.restart,
      ...(sites === null ? {} : { site: window.site, deploy: window.deploy }),
      deployBeginUs: window.deployBeginUs,
      ...(sites === null ? {} : { siteBeginUs: window.siteBeginUs }),
      sigtermUs: window.sigtermUs,
      acceptStoppedUs: window.acceptStoppedUs,
      acceptingUs: window.acceptingUs,
      readyUs: window.readyUs,
      ...rollBackOf(window),
      outageMs: outage === null ? null : toMs(outage.toUs - outage.fromUs),
      outageEnded: outage?.hasEnded ?? null,
      dueInOutage: counts?.dueInOutage ?? null,
      droppedInRestart: counts?.dropped ?? 0,
      droppedByKind: counts?.droppedByKind ?? {},
      inFlightAtSigterm: counts?.inFlightAtSigterm ?? null,
      longestWaitMs: toMs(counts?.longestWaitUs ?? null),
      voided: (counts?.latestUs ?? 0) > lateAboveMs * 1000,
      predictedDropped: predicted === null ? null : thousandth(predicted),
      expectedQueue: queue === null ? null : thousandth(queue),
      longestQueue: counts?.longestQueue ?? null,
    };
  });
}

/** When a bad release was taken back, and how long that took; nothing of any other. */
function rollBackOf({ rollBackUs, acceptStoppedUs, acceptingUs }: RestartWindow) {
  if (rollBackUs === null) return {};
  const againUs = acceptStoppedUs === null ? rollBackUs : acceptingUs;
  return { rollBackUs, restoredAfterMs: againUs === null ? null : toMs(Math.max(0, againUs - rollBackUs)) };
}

function somaxconnOf({ fingerprint }: RunRecord): number | null {
  const value = Number(fingerprint['net.core.somaxconn']);
  return Number.isInteger(value) ? value : null;
}
