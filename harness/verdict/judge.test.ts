import { describe, expect, it } from 'vitest';
import e1 from '../../experiments/E1-no-drain.ts';
import e5 from '../../experiments/E5-socket-activation.ts';
import type { Experiment } from '../experiment/experiment.ts';
import type { ExperimentRun, ServiceRun } from '../run/run-record.ts';
import type { Evidence } from './evidence.ts';
import { verdictOf } from './judge.ts';
import type { LedgerSummary } from './ledger-summary.ts';
import type { RestartWindow } from './restart-windows.ts';
import {
  direct,
  evidence,
  ledgerOf,
  proxy,
  reconciliation,
  restartCounts,
  runRecord,
  serviceRecord,
  siteVerdict,
  verdictOfTest,
  window,
} from './testing.ts';
import { verdictSchema, type Verdict } from './record/verdict.ts';

interface Given {
  experiment?: Experiment;
  run?: Partial<ExperimentRun>;
  ledger?: LedgerSummary;
  windows?: readonly RestartWindow[];
  over?: Partial<Evidence>;
}

function evidenceOf({ experiment = e5, run, ledger = ledgerOf(), windows = [window], over }: Given): Evidence {
  // A site that owns its port refuses while it is down.
  const refused = { ...direct, dropped: 14, outcomes: { ok: 46, refused: 14 } };
  return {
    run: runRecord(experiment, run),
    windows,
    ledger,
    ...evidence,
    direct: experiment.unit.activation === 'none' ? refused : direct,
    proxy,
    ...over,
  };
}

const judge = (given: Given): Verdict => verdictSchema.parse(verdictOf(evidenceOf(given)));

/** All that was due in the outage waited for its end: slot 105 from 1.05 s to 1.760105 s. */
const waited = ledgerOf(0, { longestWaitUs: 710_105, perRestart: [restartCounts(0, { longestWaitUs: 710_105 })] });

/** A second restart, a second after the first, whose outage took 300 ms. */
const second: RestartWindow = {
  ...window,
  restart: 2,
  deployBeginUs: 1_990_000,
  retireUs: 1_990_000,
  sigtermUs: 2_000_000,
  acceptStoppedUs: 2_050_000,
  exitUs: 2_100_000,
  acceptingUs: 2_350_000,
  readyUs: 2_350_100,
};

it('names the site of an end that no deploy asked for only where there are several', () => {
  const unplanned = [{ site: 'demo2', atUs: 300_000, untilUs: 400_000, what: 'exit (app)', isDeath: false, line: 3 }];
  const told = (over: Partial<Evidence>): string =>
    JSON.stringify(judge({ over: { unplanned, ...over } }).expectations);
  expect(told({ sites: [siteVerdict('demo'), siteVerdict('demo2')] })).toContain('exit (app) of demo2 at 0.300 s');
  expect(told({})).toContain('exit (app) at 0.300 s');
});

describe('the verdict', () => {
  it('passes E5 when everything due in the outage waited and was answered', () => {
    const verdict = judge({ ledger: waited });
    expect(verdict).toMatchObject({ verdict: 'pass', reasons: [], dropped: 0, badRestarts: 0, longestWaitMs: 710.105 });
    expect(verdict.perRestart[0]).toMatchObject({ outageMs: 700, dueInOutage: 70, predictedDropped: 0 });
    // None of one: 1 − 0.05.
    expect(verdict.badRestartsUpper95).toBeCloseTo(0.95, 6);
  });

  it('fails E5 for a single drop, and says which expectations it missed', () => {
    const { verdict, reasons, headline } = judge({ ledger: ledgerOf(1) });
    expect([verdict, headline]).toEqual(['fail', '1 of 300 requests dropped']);
    expect(reasons).toEqual([
      'Expected of dropped requests: at most 0; measured: 1. [expectation]',
      'Expected of restarts that dropped something: at most 0; measured: 1 of 1. [expectation]',
    ]);
  });

  it('fails E5 when an answer took longer than the outage and its slack', () => {
    expect(judge({ ledger: { ...waited, longestWaitUs: 841_000 } })).toMatchObject({
      verdict: 'fail',
      reasons: [expect.stringContaining('longest wait')],
    });
  });

  it('passes E1 when the outage was lost, and fails it when nothing was, or half: both ways', () => {
    const lost = judge({ experiment: e1, ledger: ledgerOf(70) });
    expect(lost).toMatchObject({ verdict: 'pass', dropped: 70, badRestarts: 1 });
    expect(lost.predicted).toMatchObject({ dropped: 70, range: [70, 70], differencePercent: 0 });
    expect(judge({ experiment: e1, ledger: waited })).toMatchObject({ verdict: 'fail', dropped: 0 });
    expect(judge({ experiment: e1, ledger: ledgerOf(35) })).toMatchObject({ verdict: 'fail' });
    expect(judge({ experiment: e1, ledger: ledgerOf(63) }).predicted.differencePercent).toBe(-10);
  });

  it('never passes where nothing was answered as expected', () => {
    const ledger = ledgerOf(300, { longestWaitUs: null, silenceUs: 2_990_000 });
    expect(judge({ experiment: e1, ledger })).toMatchObject({
      verdict: 'fail',
      headline: 'no request was answered as expected',
      gapMs: 2_990,
      longestWaitMs: null,
    });
  });

  describe('on a load that was late', () => {
    const lateBy = (maxUs: number): Partial<LedgerSummary> => ({ lag: { p50Us: 100, p99Us: 100, maxUs } });
    const late = lateBy(150_001);

    it('fails all the same for a drop that no lateness can cause, and says that it was late', () => {
      const verdict = judge({ ledger: ledgerOf(1, late) });
      expect(verdict).toMatchObject({ verdict: 'fail', provenDropped: 1, headline: '1 of 300 requests dropped' });
      expect(verdict.reasons).toEqual([
        'Expected of dropped requests: at most 0; measured: 1. [expectation]',
        'Expected of restarts that dropped something: at most 0; measured: 1 of 1. [expectation]',
        expect.stringMatching(/^The load was not on time, which does not explain this: A request left 150.0 ms late/u),
      ]);
    });

    it('is inconclusive where nothing was dropped, or fewer than predicted', () => {
      const headline = 'the load was not on time';
      expect(judge({ ledger: ledgerOf(0, late) })).toMatchObject({ verdict: 'inconclusive', headline });
      expect(judge({ experiment: e1, ledger: ledgerOf(0, late) })).toMatchObject({ verdict: 'inconclusive' });
    });

    it('is inconclusive where something else is doubted too', () => {
      expect(judge({ ledger: ledgerOf(1, { ...late, missingSlots: 1 }) }).verdict).toBe('inconclusive');
    });

    it('is inconclusive for a deadline that passed while the generator itself stood still', () => {
      const ifLate = { droppedIfLate: 1, perRestart: [restartCounts(1, { droppedIfLate: 1 })] };
      // The deadline is 30 s; a tenth of it is the most that a punctual generator may be late.
      const gaveUp = (maxUs: number): Verdict => judge({ ledger: ledgerOf(1, { ...lateBy(maxUs), ...ifLate }) });
      expect(gaveUp(150_001)).toMatchObject({ verdict: 'fail', provenDropped: 1 });
      expect(gaveUp(3_100_001)).toMatchObject({ verdict: 'inconclusive', dropped: 1, provenDropped: 0 });
    });

    it('takes a restart whose requests left more than 50 ms late for no evidence, unless it dropped something', () => {
      const voidedBy = (latestUs: number, dropped: number): Verdict =>
        judge({ ledger: ledgerOf(dropped, { perRestart: [restartCounts(dropped, { latestUs })] }) });
      expect(voidedBy(50_000, 0)).toMatchObject({ restarts: 1, voidRestarts: 0, perRestart: [{ voided: false }] });
      expect(voidedBy(50_001, 0)).toMatchObject({ restarts: 0, voidRestarts: 1, perRestart: [{ voided: true }] });
      const bad = { restarts: 1, voidRestarts: 0, badRestarts: 1, perRestart: [{ voided: true }] };
      expect(voidedBy(50_001, 1)).toMatchObject(bad);
    });
  });

  it.each<[string, Given, string]>([
    ['the ledger does not balance', { ledger: { ...waited, missingSlots: 1 } }, 'does not balance'],
    ['a deploy failed', { run: { troubles: ['Restart 1 failed: no'] } }, 'Restart 1 failed'],
    ['an outage was not seen', { windows: [{ ...window, acceptingUs: null }] }, 'was not seen'],
    ['a request is not in the proxy’s log', { over: { proxy: { ...proxy, missing: 1 } } }, 'disagree'],
  ])('is inconclusive, never pass, when %s', (_, given, reason) => {
    const { verdict, reasons, citation } = judge({ ledger: waited, ...given });
    expect(verdict).toBe('inconclusive');
    expect(reasons.join()).toContain(reason);
    expect(citation).toContain('not citable');
  });

  it('is inconclusive with the doubts before what was missed', () => {
    const { verdict, reasons } = judge({ ledger: ledgerOf(1, { missingSlots: 1 }) });
    expect([verdict, reasons.length]).toEqual(['inconclusive', 3]);
    expect(reasons[0]).toContain('does not balance');
  });

  it('is inconclusive where the restarts are too few for what is claimed, and nothing else is wrong', () => {
    const claim = { cleanPercent: 99, because: 'so it was asked for' };
    const { verdict, reasons } = judge({ experiment: { ...e5, expect: { ...e5.expect, claim } } });
    expect(verdict).toBe('inconclusive');
    expect(reasons).toEqual([expect.stringContaining('Too few restarts for the claim that 99 % of them are clean')]);
  });

  it('is aborted where it was cut short, whatever was counted; it says why, which container had ended, and no more', () => {
    const run = { aborted: 'The run was cut short (SIGINT).' };
    const ledger = ledgerOf(150, { missingSlots: 150 });
    expect(judge({ run, ledger })).toMatchObject({
      verdict: 'aborted',
      reasons: [`${run.aborted} [aborted]`],
      dropped: 150,
    });
    const engine = [{ atWallUs: 1, action: 'die', role: 'edge', detail: 'status 137' }];
    expect(judge({ run, ledger, over: { engine } }).reasons).toEqual([
      `${run.aborted} [aborted]`,
      'The container `edge` ended during the run (die status 137; witnesses/engine.ndjson:1): find out what ended it, and run again. [container-ended]',
    ]);
  });
});

describe('the figures of a verdict', () => {
  it('of restarts: the longest outage, and each one’s own numbers', () => {
    const perRestart = [
      restartCounts(5, { longestQueue: 65 }),
      restartCounts(0, { dueInOutage: 30, inFlightAtSigterm: 1, longestWaitUs: 300_000 }),
    ];
    const verdict = judge({ ledger: ledgerOf(6, { perRestart }), windows: [window, second] });
    expect(verdict).toMatchObject({ longestOutageMs: 700, restarts: 2, badRestarts: 1, droppedOutsideRestarts: 1 });
    // 1 of 2: Clopper and Pearson’s interval is 1.3 % to 98.7 %.
    expect(verdict.badRestartsInterval95).toEqual([expect.closeTo(0.0126, 4), expect.closeTo(0.9874, 4)]);
    expect(verdict.badRestartsUpper95).toBe(verdict.badRestartsInterval95?.[1]);
    const first = {
      restart: 1,
      deployBeginUs: 990_000,
      sigtermUs: 1_000_000,
      acceptStoppedUs: 1_050_000,
      acceptingUs: 1_750_000,
      readyUs: 1_750_100,
      outageMs: 700,
      outageEnded: true,
      dueInOutage: 70,
      droppedInRestart: 5,
      droppedByKind: { 'GET kept': 5 },
      inFlightAtSigterm: 0,
      longestWaitMs: 2,
      voided: false,
      predictedDropped: 0,
      // 700 ms at 100 a second, and at the probe’s 20.
      expectedQueue: 84,
      longestQueue: 65,
    };
    const another = { outageMs: 300, dueInOutage: 30, droppedInRestart: 0, inFlightAtSigterm: 1, longestWaitMs: 300 };
    expect(verdict.perRestart).toMatchObject([
      first,
      { restart: 2, ...another, expectedQueue: 36, longestQueue: null },
    ]);
    expect(verdict.perRestart[0]).toEqual(first);
  });

  it('of an outage that never ended: to the end of the load, and no prediction', () => {
    const open = { ...window, acceptingUs: null };
    const verdict = judge({ windows: [open] });
    // Closed at 1.05 s, and the load ends at 3 s.
    expect(verdict).toMatchObject({ longestOutageMs: 1_950, predicted: { dropped: null, range: null } });
    expect(verdict.perRestart[0]).toMatchObject({ outageMs: 1_950, outageEnded: false });
    // The next restart's process accepts at 2.35 s.
    expect(judge({ windows: [open, second] }).longestOutageMs).toBe(1_300);
  });

  it('of an outage that was not seen: unknown, and no prediction', () => {
    const unseen = { ...window, acceptStoppedUs: null, exitUs: null };
    const ledger = ledgerOf(0, { perRestart: [restartCounts(0, { dueInOutage: null })] });
    const verdict = judge({ windows: [unseen], ledger });
    const predicted = { dropped: null, range: null, differencePercent: null };
    expect(verdict).toMatchObject({ longestOutageMs: null, predicted });
    const unknown = { outageMs: null, outageEnded: null, dueInOutage: null, predictedDropped: null };
    expect(verdict.perRestart[0]).toMatchObject({ ...unknown, expectedQueue: null });
    expect(judge({ windows: [unseen, second] }).longestOutageMs).toBe(300);
  });

  it('of requests: shares with their exact interval, and what a client that retries would have seen', () => {
    const verdict = judge({ ledger: ledgerOf(1, { resendable: 1 }) });
    expect(verdict).toMatchObject({ dropped: 1, due: 300, sent: 300 });
    const byMethod = { GET: { due: 77, dropped: 1 } };
    expect(verdict.atRisk).toEqual({ due: 77, dropped: 1, ratePercent: 1.299, byMethod });
    // 1 of 300.
    expect(verdict.dropRateInterval95).toEqual([expect.closeTo(0.0000844, 7), expect.closeTo(0.01843, 5)]);
    expect(verdict.retryingClient).toEqual({ resent: 1, droppedAtBest: 0 });
  });

  it('of a run without a restart: no share of anything', () => {
    const atRisk = { due: 0, dropped: 0, byMethod: {} };
    const ledger = ledgerOf(0, { perRestart: [], atRisk });
    expect(judge({ run: { deployBeginsMs: [] }, windows: [], ledger })).toMatchObject({
      restarts: 0,
      badRestartsInterval95: null,
      badRestartsUpper95: null,
      perRestart: [],
      longestOutageMs: null,
      atRisk: { due: 0, dropped: 0, ratePercent: null },
      predicted: { dropped: 0, range: [0, 0], formula: 'no restart: 0', differencePercent: null },
      power: { smallestWindowMs: null },
    });
  });

  it('of a run without a row: nothing is known', () => {
    const all = { due: 0, sent: 0, dropped: 0, outcomes: {} };
    const unknown = { silenceUs: null, longestWaitUs: null, lag: null, achievedRate: null };
    expect(judge({ ledger: ledgerOf(0, { all, ...unknown }) })).toMatchObject({
      gapMs: null,
      affectedMs: null,
      longestWaitMs: null,
      dropRateInterval95: null,
      schedule: { lagP50Ms: null, lagP99Ms: null, lagMaxMs: null, achievedRate: null },
    });
  });

  it('of the schedule, the silence and the affected time, in milliseconds to the thousandth', () => {
    const all = { due: 300, sent: 298, dropped: 5, outcomes: { ok: 290, 'status-502': 5, unsent: 2, local: 3 } };
    const lag = { p50Us: 149, p99Us: 296, maxUs: 299 };
    const times = { silenceUs: 50_000, affectedUs: 40_000, achievedRate: 99.99 };
    expect(judge({ ledger: ledgerOf(5, { all, lag, ...times }) })).toMatchObject({
      gapMs: 50,
      affectedMs: 40,
      longestWaitMs: 2,
      schedule: { ratePerSecond: 100, lagP50Ms: 0.149, lagP99Ms: 0.296, lagMaxMs: 0.299, achievedRate: 99.99 },
      // Of one restart at 100 a second, 95 %: 1 − 0.05, × 10 ms … as power.ts has it.
      power: { smallestWindowMs: 29.957 },
    });
    expect(judge({ ledger: ledgerOf(0, { all }) }).schedule).toMatchObject({ unsent: 2, local: 3 });
  });

  it('of a machine’s cap on queues, where it is known', () => {
    const capOf = (fingerprint: Record<string, string>): number | null => judge({ run: { fingerprint } }).somaxconn;
    expect(capOf({ 'net.core.somaxconn': '4096' })).toBe(4_096);
    expect(capOf({})).toBeNull();
    expect(capOf({ 'net.core.somaxconn': 'none' })).toBeNull();
  });

  it('of the run: its variant, and what no other witness explains', () => {
    const unexplained = { ...reconciliation, unexplained: 3, unexplainedRows: [1, 2, 3] };
    expect(judge({ run: { variant: 'slow-start' }, over: { reconciliation: unexplained } })).toMatchObject({
      experiment: 'E5',
      variant: 'slow-start',
      unexplained: 3,
    });
    const of = verdictOf({ ...evidenceOf({}), run: serviceRecord(), reconciliation: unexplained });
    expect(of).toMatchObject({ experiment: 'measure', variant: null, unexplained: null });
    expect(of.perRestart[0]?.expectedQueue).toBeNull();
  });

  it('of its controls, judged; null where there were none', () => {
    const control = { role: 'C0', name: 'E0', because: 'why', verdict: verdictOfTest({}) } as const;
    expect(judge({ over: { controls: [control] } }).controls).toMatchObject([{ role: 'C0', holds: true }]);
    expect(judge({ over: { controls: null } }).controls).toBeNull();
  });
});

/** The notes of a user's service. */
const notesOf = (run: Partial<ServiceRun>, over: Partial<Evidence>): string[] =>
  verdictOf({ ...evidenceOf({}), run: { ...serviceRecord(), ...run }, ...over }).notes;

it('a service of which nothing was seen to change has a note, unless the command failed or was cut short', () => {
  const told = (run: Partial<ServiceRun>, ledger = ledgerOf()) => notesOf(run, { ledger, hasChanged: false });
  expect(told({})).toEqual([expect.stringContaining('seen to change')]);
  expect(told({})[0]).toContain(': no request failed, no answer');
  expect(told({}, ledgerOf(300))[0]).toContain(': no request failed in a way that was new, no answer');
  expect(told({ aborted: 'Interrupted.' })).toEqual([]);
  expect(told({ troubles: ['The command ended with status 1.'] })).toEqual([]);
});

it('a service that keeps no connection has a note, unless no answer of it is ok', () => {
  const keptReuse = { answered: 300, reused: 0 };
  expect(notesOf({}, { keptReuse })).toEqual([expect.stringContaining('Kept connections were not tested')]);
  const none = ledgerOf(0, { all: { due: 300, sent: 300, dropped: 300, outcomes: { 'status-400': 300 } } });
  expect(notesOf({}, { keptReuse, ledger: none })).toEqual([]);
});

describe('a name that leads elsewhere', () => {
  const service = serviceRecord({ url: 'http://shop.test/', address: '10.0.0.1' });
  const told = (movedTo: string | undefined, addresses: Evidence['addresses']) =>
    notesOf({ ...service, movedTo }, { addresses });
  const first = { address: null, requests: 200, fromUs: 0 };

  it('is told with where the requests went', () => {
    const moved = [
      { address: '::2', requests: 90, fromUs: 2_040_000 },
      { address: '10.0.0.3', requests: 10, fromUs: 2_900_000 },
    ];
    expect(told('10.0.0.3', [first, ...moved])).toEqual([
      'shop.test led elsewhere while the load went on: 200 requests went to 10.0.0.1, its first address, 90 to [::2], ' +
        '10 to 10.0.0.3; the first of them 2.0 s into the load.',
    ]);
  });

  it('is told, too, where no request went there any more', () => {
    expect(told('10.0.0.2', [first])).toEqual([
      'shop.test has another address now, 10.0.0.2; every request went to 10.0.0.1, which it had at first.',
    ]);
    expect(told(undefined, [first])).toEqual([]);
  });
});
