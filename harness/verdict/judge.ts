/** The verdict of a run, made from the files of the run alone: run.json, timeline, ledger, witnesses. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { lateAboveMs } from '../load/plan.ts';
import type { Experiment } from '../scenario/experiment.ts';
import { runFiles } from '../scenario/run-folder.ts';
import { subjectOf, type RunRecord } from '../scenario/run-record.ts';
import { expectedQueue } from './backends.ts';
import { citationLine } from './citation.ts';
import { answerClaim } from './claim.ts';
import { judgeControls } from './controls.ts';
import { readEvidence, type Evidence } from './evidence.ts';
import { checkExpectations } from './expectations.ts';
import { exactInterval } from './interval.ts';
import { type LedgerSummary } from './ledger-summary.ts';
import { powerOf } from './power.ts';
import { predictDrops } from './predict.ts';
import { outageMsOf, type RestartWindow } from './restart-windows.ts';
import { distrust, engineTroubles } from './trust.ts';
import type { RestartVerdict, Verdict } from './verdict.ts';

/** Reads a run's folder, writes its verdict.json and joined.ndjson.gz, and returns the verdict. */
export async function judgeRun(folder: string): Promise<Verdict> {
  const verdict = verdictOf(await readEvidence(folder));
  await writeFile(join(folder, runFiles.verdict), `${JSON.stringify(verdict, null, 2)}\n`);
  return verdict;
}

/** The verdict. Pure. */
export function verdictOf(evidence: Evidence): Verdict {
  const { run, windows, ledger, stale, writes, direct, reconciliation, proxy, kernel, hashes } = evidence;
  const subject = subjectOf(run);
  const prediction = predictDrops(run, windows);
  const outagesMs = windows.map(outageMsOf).filter((ms) => ms !== null);
  const perRestart = windows.map((window, index) =>
    restartVerdict(
      window,
      ledger,
      {
        predicted: prediction.perRestart[index],
        queue: run.kind === 'experiment' ? expectedQueue(run.experiment, window) : null,
        longestQueue: evidence.queues[index] ?? null,
      },
      index,
    ),
  );
  const badRestarts = perRestart.filter(({ droppedInRestart }) => droppedInRestart > 0).length;
  const voidRestarts = perRestart.filter(({ voided, droppedInRestart }) => voided && droppedInRestart === 0).length;
  const restarts = windows.length - voidRestarts;
  const { all } = ledger;
  const measured = {
    dropped: all.dropped,
    restarts,
    badRestarts,
    longestWaitMs: toMs(ledger.longestWaitUs),
    longestOutageMs: outagesMs.length === 0 ? null : Math.max(...outagesMs),
    predicted: prediction,
    ratePerSecond: subject.ratePerSecond,
    outcomes: all.outcomes,
    byMethod: ledger.byMethod,
    stale,
    writes,
    direct,
    stallsOutside: evidence.waits.stalls.outsideRestarts,
  };
  const expectations = checkExpectations(expectOf(run), measured);
  const missed = expectations
    .filter(({ met }) => !met)
    .map((row) => `Expected of ${row.what}: ${row.expected}; measured: ${row.measured}.`);
  const { claim } = expectOf(run);
  const claimed = claim === undefined ? null : answerClaim(claim, badRestarts, restarts);
  const doubts =
    run.aborted === null
      ? [
          ...distrust(run, ledger, windows, evidence),
          ...evidence.witnessDoubts,
          ...(claimed?.kind === 'too-few' ? [claimed.why] : []),
        ]
      : [run.aborted, ...engineTroubles(evidence.engine)];
  const kind =
    run.aborted !== null ? 'aborted' : doubts.length > 0 ? 'inconclusive' : missed.length > 0 ? 'fail' : 'pass';
  const badInterval = exactInterval(badRestarts, restarts) ?? null;
  const verdict = {
    schema: 1,
    experiment: subject.id,
    variant: run.kind === 'experiment' ? run.variant : null,
    runId: run.runId,
    verdict: kind,
    // Of a run that was cut short nothing was to be expected.
    reasons: run.aborted === null ? [...doubts, ...missed] : doubts,
    due: all.due,
    sent: all.sent,
    outcomes: all.outcomes,
    byMethod: ledger.byMethod,
    byConnection: ledger.byConnection,
    byKind: ledger.byKind,
    dropped: all.dropped,
    retryingClient: { resent: ledger.resendable, droppedAtBest: all.dropped - ledger.resendable },
    atRisk: {
      ...ledger.atRisk,
      ratePercent: ledger.atRisk.due === 0 ? null : round((100 * ledger.atRisk.dropped) / ledger.atRisk.due),
    },
    stale,
    writes,
    direct,
    reconciliation,
    unexplained: run.kind === 'experiment' ? reconciliation.unexplained : null,
    dropWindows: evidence.dropWindows,
    controls: evidence.controls === null ? null : judgeControls(evidence.controls),
    calibration: evidence.calibration,
    proxyTries: evidence.proxyTries,
    ...evidence.waits,
    restarts,
    voidRestarts,
    badRestarts,
    badRestartsUpper95: badInterval?.[1] ?? null,
    badRestartsInterval95: badInterval,
    dropRateInterval95: exactInterval(all.dropped, all.due) ?? null,
    gapMs:
      ledger.silenceUs === null ? null : Math.max(0, round(ledger.silenceUs / 1000 - 1000 / subject.ratePerSecond)),
    affectedMs: toMs(ledger.affectedUs),
    longestWaitMs: measured.longestWaitMs,
    longestOutageMs: measured.longestOutageMs,
    somaxconn: somaxconnOf(run),
    power: powerOf(restarts, subject.ratePerSecond),
    perRestart,
    schedule: {
      ratePerSecond: subject.ratePerSecond,
      lagP50Ms: toMs(ledger.lag?.p50Us ?? null),
      lagP99Ms: toMs(ledger.lag?.p99Us ?? null),
      lagMaxMs: toMs(ledger.lag?.maxUs ?? null),
      achievedRate: ledger.achievedRate === null ? null : round(ledger.achievedRate),
      unsent: all.outcomes['unsent'] ?? 0,
      local: all.outcomes['local'] ?? 0,
    },
    predicted: {
      dropped: prediction.dropped === null ? null : round(prediction.dropped),
      range: prediction.range === null ? null : [round(prediction.range[0]), round(prediction.range[1])],
      formula: prediction.formula,
      differencePercent:
        prediction.dropped === null || prediction.dropped === 0
          ? null
          : round((100 * (all.dropped - prediction.dropped)) / prediction.dropped),
    },
    expectations,
    witnesses: { proxy, kernel },
    hashes,
    citation: '',
  } satisfies Verdict;
  return { ...verdict, citation: citationLine(verdict, run) };
}

function restartVerdict(
  window: RestartWindow,
  ledger: LedgerSummary,
  {
    predicted,
    queue,
    longestQueue,
  }: { predicted: number | null | undefined; queue: number | null; longestQueue: number | null },
  index: number,
): RestartVerdict {
  const counts = ledger.perRestart[index];
  const outageMs = outageMsOf(window);
  return {
    restart: window.restart,
    deployBeginUs: window.deployBeginUs,
    sigtermUs: window.sigtermUs,
    acceptStoppedUs: window.acceptStoppedUs,
    acceptingUs: window.acceptingUs,
    readyUs: window.readyUs,
    outageMs: outageMs === null ? null : round(outageMs),
    dueInOutage: counts?.dueInOutage ?? 0,
    droppedInRestart: counts?.dropped ?? 0,
    droppedByKind: counts?.droppedByKind ?? {},
    inFlightAtSigterm: counts?.inFlightAtSigterm ?? 0,
    longestWaitMs: toMs(counts?.longestWaitUs ?? null),
    voided: (counts?.latestUs ?? 0) > lateAboveMs * 1000,
    predictedDropped: predicted === null || predicted === undefined ? null : round(predicted),
    expectedQueue: queue === null ? null : round(queue),
    longestQueue,
  };
}

function somaxconnOf({ fingerprint }: RunRecord): number | null {
  const value = Number(fingerprint['net.core.somaxconn']);
  return Number.isInteger(value) ? value : null;
}

/** What is expected of the run; of a user's service, that it drops no more than the user allows. */
function expectOf(run: RunRecord): Experiment['expect'] {
  if (run.kind === 'experiment') return run.experiment.expect;
  return {
    dropped: { max: run.service.maxDropped, because: 'the limit that --max-dropped sets (0 unless said)' },
    bounds: [],
  };
}

function toMs(us: number | null): number | null {
  return us === null ? null : round(us / 1000);
}

/** To a thousandth: what the stamps can tell. */
function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
