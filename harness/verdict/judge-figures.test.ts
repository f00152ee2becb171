import { describe, expect, it } from 'vitest';
import e1 from '../../experiments/E1-no-drain.ts';
import e5 from '../../experiments/E5-socket-activation.ts';
import type { LedgerRow } from '../run/ledger.ts';
import type { ExperimentRun } from '../run/run-record.ts';
import type { Evidence } from './evidence.ts';
import { verdictOf } from './judge.ts';
import { LedgerSummarizer } from './ledger-summary.ts';
import type { RestartWindow } from './restart-windows.ts';
import { badRow, evidence, reconciliation, row, runRecord, serviceRecord, verdictOfTest, window } from './testing.ts';
import { verdictSchema, type Verdict } from './verdict.ts';

interface Given {
  experiment?: typeof e5;
  run?: Partial<ExperimentRun>;
  rows?: readonly LedgerRow[];
  windows?: readonly RestartWindow[];
  over?: Partial<Evidence>;
}

const rowsOf = (of: (seq: number) => LedgerRow): LedgerRow[] => Array.from({ length: 300 }, (_, seq) => of(seq));
const good = rowsOf((seq) => row(seq));

function evidenceOf({ experiment = e5, run = {}, rows = good, windows = [window], over = {} }: Given): Evidence {
  const spans = windows.map(({ deployBeginUs, readyUs }) => ({ fromUs: deployBeginUs, toUs: readyUs ?? 3_000_000 }));
  const summarizer = new LedgerSummarizer({ slots: 300, ratePerSecond: 100, windows, spans });
  for (const one of rows) summarizer.add(one);
  return {
    run: runRecord(experiment, run),
    windows,
    ledger: summarizer.result(),
    ...evidence,
    direct: null,
    proxy: null,
    ...over,
  };
}

const judge = (given: Given): Verdict => verdictSchema.parse(verdictOf(evidenceOf(given)));

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

describe('the figures of a verdict', () => {
  it('of restarts: the longest outage, and each one’s own numbers', () => {
    const rows = rowsOf((seq) =>
      seq >= 105 && seq < 110 ? badRow(seq) : row(seq, seq === 210 ? { doneUs: 2_400_000 } : {}),
    );
    const { perRestart, longestOutageMs, restarts, badRestarts, badRestartsInterval95, badRestartsUpper95 } = judge({
      rows,
      windows: [window, second],
      over: { queues: [65, null] },
    });
    expect([longestOutageMs, restarts, badRestarts]).toEqual([700, 2, 1]);
    // 1 of 2: Clopper and Pearson’s interval is 1.3 % to 98.7 %.
    expect(badRestartsInterval95).toEqual([expect.closeTo(0.0126, 4), expect.closeTo(0.9874, 4)]);
    expect(badRestartsUpper95).toBe(badRestartsInterval95?.[1]);
    expect(perRestart).toEqual([
      {
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
      },
      {
        restart: 2,
        deployBeginUs: 1_990_000,
        sigtermUs: 2_000_000,
        acceptStoppedUs: 2_050_000,
        acceptingUs: 2_350_000,
        readyUs: 2_350_100,
        outageMs: 300,
        outageEnded: true,
        dueInOutage: 30,
        droppedInRestart: 0,
        droppedByKind: {},
        inFlightAtSigterm: 0,
        longestWaitMs: 300,
        voided: false,
        predictedDropped: 0,
        expectedQueue: 36,
        longestQueue: null,
      },
    ]);
  });

  it('of a restart under which a request left more than 50 ms late: it is void', () => {
    const late = (byUs: number): Verdict =>
      judge({ rows: rowsOf((seq) => row(seq, seq === 120 ? { sentUs: 1_200_000 + byUs, doneUs: 1_260_000 } : {})) });
    expect([late(50_000).perRestart[0]?.voided, late(50_001).perRestart[0]?.voided]).toEqual([false, true]);
    expect([late(50_000).voidRestarts, late(50_001).voidRestarts]).toEqual([0, 1]);
  });

  it('of an outage that never ended: to the end of the load, and no prediction', () => {
    const open = { ...window, acceptingUs: null };
    const verdict = judge({ windows: [open] });
    // Closed at 1.05 s, and the load ends at 3 s.
    expect(verdict).toMatchObject({ longestOutageMs: 1_950, predicted: { dropped: null, range: null } });
    expect(verdict.perRestart[0]).toMatchObject({ outageMs: 1_950, outageEnded: false, dueInOutage: 195 });
    // The next restart's process accepts at 2.35 s.
    expect(judge({ windows: [open, second] }).longestOutageMs).toBe(1_300);
  });

  it('of an outage that was not seen: unknown, and no prediction', () => {
    const unseen = { ...window, acceptStoppedUs: null, exitUs: null };
    const verdict = judge({ windows: [unseen] });
    expect(verdict).toMatchObject({
      longestOutageMs: null,
      predicted: { dropped: null, range: null, differencePercent: null },
    });
    expect(verdict.perRestart[0]).toMatchObject({
      outageMs: null,
      outageEnded: null,
      dueInOutage: null,
      predictedDropped: null,
      expectedQueue: null,
    });
    expect(judge({ windows: [unseen, second] }).longestOutageMs).toBe(300);
  });

  it('of requests: shares with their exact interval', () => {
    const { atRisk, dropRateInterval95, dropped, due, sent } = judge({
      rows: rowsOf((seq) => (seq === 105 ? badRow(seq) : row(seq))),
    });
    // Due from 0.99 to 1.7501 s: slots 99 to 175.
    expect(atRisk).toEqual({ due: 77, dropped: 1, ratePercent: 1.299, byMethod: { GET: { due: 77, dropped: 1 } } });
    expect([dropped, due, sent]).toEqual([1, 300, 300]);
    // 1 of 300.
    expect(dropRateInterval95).toEqual([expect.closeTo(0.0000844, 7), expect.closeTo(0.01843, 5)]);
  });

  it('of a run without a restart: no share of anything', () => {
    const verdict = judge({ run: { deployBeginsMs: [] }, windows: [] });
    expect(verdict).toMatchObject({
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
    expect(judge({ rows: [] })).toMatchObject({
      gapMs: null,
      affectedMs: null,
      longestWaitMs: null,
      dropRateInterval95: null,
      schedule: { lagP50Ms: null, lagP99Ms: null, lagMaxMs: null, achievedRate: null },
    });
  });

  it('of the schedule, the silence and the affected time, in milliseconds', () => {
    const rows = rowsOf((seq) => (seq >= 105 && seq < 110 ? badRow(seq) : row(seq, { sentUs: seq * 10_000 + seq })));
    expect(judge({ rows })).toMatchObject({
      // From the answer of slot 104 to that of slot 110 lie 60 ms, of which one slot lies between any two.
      gapMs: 50,
      affectedMs: 40,
      longestWaitMs: 2,
      // Slot n left n µs late, but for the five that were dropped, which left 100 µs late: ranks 150, 297 and 300.
      schedule: { ratePerSecond: 100, lagP50Ms: 0.149, lagP99Ms: 0.296, lagMaxMs: 0.299, unsent: 0, local: 0 },
      power: { smallestWindowMs: 29.957 },
    });
    expect(judge({ rows }).schedule.achievedRate).toBeCloseTo(99.99, 3);
    const own = rowsOf((seq) =>
      seq < 2 ? row(seq, { outcome: 'unsent', sentUs: null }) : row(seq, seq < 5 ? { outcome: 'local' } : {}),
    );
    expect(judge({ rows: own }).schedule).toMatchObject({ unsent: 2, local: 3 });
  });

  it('of the prediction: how far the count is from it', () => {
    const rows = rowsOf((seq) => (seq >= 105 && seq < 168 ? badRow(seq) : row(seq)));
    expect(judge({ experiment: e1, rows }).predicted).toMatchObject({
      dropped: 70,
      range: [70, 70],
      differencePercent: -10,
    });
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

describe('the kind of a verdict', () => {
  it('is fail where an expectation is missed, and says which', () => {
    const { verdict, reasons } = judge({ rows: rowsOf((seq) => (seq === 105 ? badRow(seq) : row(seq))) });
    expect(verdict).toBe('fail');
    expect(reasons).toEqual([
      'Expected of dropped requests: at most 0; measured: 1.',
      'Expected of restarts that dropped something: at most 0; measured: 1 of 1.',
    ]);
  });

  it('is inconclusive where it cannot be trusted, with the doubts before what was missed', () => {
    const { verdict, reasons } = judge({ rows: rowsOf((seq) => (seq === 105 ? badRow(seq) : row(seq))).slice(1) });
    expect(verdict).toBe('inconclusive');
    expect(reasons).toHaveLength(3);
    expect(reasons[0]).toContain('does not balance');
  });

  it('is inconclusive where the restarts are too few for what is claimed, and nothing else is wrong', () => {
    const claim = { cleanPercent: 99, because: 'so it was asked for' };
    const experiment = { ...e5, expect: { ...e5.expect, claim } };
    const { verdict, reasons } = judge({ experiment });
    expect(verdict).toBe('inconclusive');
    expect(reasons).toEqual([expect.stringContaining('Too few restarts for the claim that 99 % of them are clean')]);
  });

  it('is aborted where it was cut short, and then says why, and which container had ended, and no more', () => {
    const run = { aborted: 'The run was cut short (SIGINT).' };
    const rows = rowsOf((seq) => badRow(seq)).slice(0, 150);
    expect(judge({ run, rows })).toMatchObject({ verdict: 'aborted', reasons: ['The run was cut short (SIGINT).'] });
    const engine = [{ atWallUs: 1, action: 'die', role: 'edge', detail: 'status 137' }];
    expect(judge({ run, rows, over: { engine } }).reasons).toEqual([
      'The run was cut short (SIGINT).',
      'The container `edge` ended during the run (die status 137; witnesses/engine.ndjson:1): find out what ended it, and run again.',
    ]);
  });
});
